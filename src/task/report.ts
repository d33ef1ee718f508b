// What an agent tells the server. Reports are numbered per task and idempotent: the server remembers the highest
// sequence it has stored for the task and ignores what it has seen; the agent keeps a report until it is acknowledged.

export type TaskPhase = "downloading" | "running" | "uploading" | "exited";

export type TaskEvent =
  /** `message` is for people (StatusMessage), e.g. "Downloading input data: train 45 % (12.3 MB/s)". */
  | { readonly type: "phase"; readonly at: number; readonly phase: TaskPhase; readonly message?: string }
  /** Lines the program wrote, in order; `at` in ms since 1970. */
  | { readonly type: "output"; readonly lines: readonly { readonly at: number; readonly text: string }[] }
  | UsageEvent
  | ModelsEvent
  /** A hosting task answers /ping at this address, e.g. "http://127.45.2.1:34567"; `ready: false` once it stops answering. */
  | { readonly type: "serving"; readonly at: number; readonly ready: boolean; readonly address: string }
  | { readonly type: "end"; readonly at: number; readonly end: TaskEnd };

/** What a multi-model container's agent measured since the last time, for CloudWatch. */
export interface ModelsEvent {
  readonly type: "models";
  readonly at: number;
  readonly metrics: readonly ModelMetric[];
}

export interface ModelMetric {
  /** Times in microseconds; ModelCacheHit is 1 or 0 per invocation. */
  readonly name:
    | "ModelLoadingWaitTime"
    | "ModelUnloadingTime"
    | "ModelDownloadingTime"
    | "ModelLoadingTime"
    | "ModelCacheHit"
    | "LoadedModelCount";
  readonly value: number;
}

/** Instance metrics for CloudWatch. */
export interface UsageEvent {
  readonly type: "usage";
  readonly at: number;
  /** Of one core: two busy cores are 200. */
  readonly cpuPercent: number;
  readonly memoryMegabytes: number;
  /** Of what the program may take at most: its container's limit, or this machine's memory. */
  readonly memoryPercent?: number;
  /** Of the task's volume, or of the machine's disk. */
  readonly diskPercent?: number;
  /** Of one GPU, as with cores; absent where there is none. */
  readonly gpuPercent?: number;
  readonly gpuMemoryPercent?: number;
}

/** How the program ended. Sent after everything was uploaded. */
export interface TaskEnd {
  /** exited: by itself; stopped: on request; timed-out: maxRuntimeSeconds; lost: no trace of its end; setup-failed: before release. */
  readonly how: "exited" | "stopped" | "timed-out" | "lost" | "setup-failed";
  readonly exitCode?: number;
  readonly signal?: string;
  /** First 1,024 characters of /opt/ml/output/failure, or why setup failed. */
  readonly failure?: string;
  /** First 1,024 characters of /opt/ml/output/message (processing). */
  readonly message?: string;
  /** ms since 1970 at which the program was released and ended; absent when it never ran. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Set once the parts below were uploaded: the first hundred names, relative to their folder. */
  readonly modelFiles?: readonly string[];
  readonly outputFiles?: readonly string[];
  /** Set when the server refused a part: the program ended as above, its results are not there. */
  readonly uploadProblem?: string;
}

export interface ReportRequest {
  /** 1, 2, 3 … per task. A report without events is a heartbeat: it repeats the last number (0 before the first report) and is never stored. */
  readonly sequence: number;
  readonly events: readonly TaskEvent[];
}

export interface ReportAnswer {
  /** Highest sequence stored. */
  readonly acknowledged: number;
  /** The task should end now (SIGTERM, grace, SIGKILL), then report its end. */
  readonly stop: boolean;
}

/**
 * The server's routes for agents, all under `/_salvia/tasks/<key>/` with `Authorization: Bearer <token>`:
 *   GET  plan           → a ChannelPlan as JSON lines, see plan-lines.ts (200) | PlanFailure (422)
 *   GET  objects/<id>   → bytes of a planned object (where the plan gave a url)
 *   GET  models/<path>  → archive of a multi-model container's model (path percent-encoded) | 422, why there is none
 *   POST reports        → ReportAnswer; 410 when the server no longer knows the task: stop it and clean up
 *   PUT  parts/model    → body: gzip member holding the tar entries of /opt/ml/model, without the end-of-archive blocks
 *   PUT  parts/output   → the same for /opt/ml/output/data
 *   PUT  files/<name>/<path> → body: a file of the upload folder of that name (each segment of the path percent-encoded)
 *   GET  credentials    → TaskCredentials of the execution role
 * The server joins the parts of all instances (concatenated gzip members and a last one with the end-of-archive blocks)
 * into model.tar.gz and output.tar.gz, so nothing is recompressed.
 */
export const taskRoutePrefix = "/_salvia/tasks/";

export interface TaskCredentials {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly Token: string;
  readonly Expiration: string;
}
