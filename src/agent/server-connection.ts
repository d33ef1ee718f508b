// The agent's calls to its server, on node:http alone: an agent must start fast.
import { Agent, request, type ClientRequest, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import { readJsonLines } from "../formats/json-lines.ts";
import type { ChannelPlan, PlanFailure } from "../task/channel-plan.ts";
import { planOfLines, type PlanLine } from "../task/plan-lines.ts";
import { taskRoutePrefix, type ReportAnswer, type ReportRequest, type TaskCredentials } from "../task/report.ts";
import { readOwnJson } from "../task/task-folder.ts";
import type { TaskSpec } from "../task/task.ts";

/** 410: the server no longer knows the task. */
export class TaskGoneError extends Error {}

/** The server answered with something else than success. */
export class ServerRefusalError extends Error {
  readonly status: number;
  /** The server's own words. */
  readonly reason: string;
  constructor(status: number, reason: string) {
    super(`the server answered ${status}: ${reason}`);
    this.status = status;
    this.reason = reason;
  }
}

export interface ServerConnection {
  plan(signal: AbortSignal): Promise<ChannelPlan | PlanFailure>;
  /** Bytes of a planned object, from the given one on. `url` is absolute or relative to the server. */
  object(url: string, signal: AbortSignal, fromByte?: number): Promise<IncomingMessage>;
  /** Bytes of several planned objects with one request, in their order. */
  objects(
    objects: readonly { readonly source: { readonly url: string }; readonly sizeBytes: number }[],
    signal: AbortSignal,
  ): Promise<readonly Buffer[]>;
  /** Archive of a model of a multi-model container, or why there is none, for the caller of the model. */
  modelArchive(target: string, signal: AbortSignal): Promise<IncomingMessage | { readonly problem: string }>;
  report(report: ReportRequest, signal: AbortSignal): Promise<ReportAnswer>;
  putPart(part: "model" | "output", body: Readable, signal: AbortSignal): Promise<void>;
  /** Stores the body, of `sizeBytes` bytes where that is known, as a file of an upload folder. */
  putFile(
    folder: string,
    path: string,
    body: Readable,
    sizeBytes: number | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  credentials(signal: AbortSignal): Promise<TaskCredentials>;
  close(): void;
}

/** Requests under the task's own routes. */
function callsTo(server: TaskSpec["server"], key: string) {
  const sockets = new Agent({ keepAlive: true });

  const open = (method: string, path: string, headers: Record<string, string>, signal: AbortSignal): ClientRequest => {
    const base = new URL(`${taskRoutePrefix}${encodeURIComponent(key)}/`, serverUrl(server));
    const url = new URL(path, base);
    if (url.origin !== base.origin)
      throw new Error(`the plan names an address that is not the server's: ${url.origin}`);
    const authorization = `Bearer ${server.token}`;
    return request(url, { method, agent: sockets, headers: { ...headers, authorization }, signal, timeout: 60_000 });
  };
  return {
    open,
    /** Throws for what is no success. */
    post: async (path: string, value: unknown, signal: AbortSignal): Promise<IncomingMessage> => {
      const body = JSON.stringify(value);
      const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
      const call = open("POST", path, headers, signal);
      const answering = answerOf(call);
      call.end(body);
      const answer = await answering;
      await refuse(answer);
      return answer;
    },
    get: (path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<IncomingMessage> =>
      answerOf(open("GET", path, headers, signal).end()),
    close: () => sockets.destroy(),
  };
}

/** Every call throws TaskGoneError on 410, ServerRefusalError on other refusals, and the socket's error when the server is away. */
export function connectToServer(server: TaskSpec["server"], key: string): ServerConnection {
  const { open, post, get, close } = callsTo(server, key);
  return {
    plan: async (signal) => {
      const answer = await get("plan", signal);
      if (answer.statusCode === 422) return JSON.parse(await textOf(answer)) as PlanFailure;
      await refuse(answer);
      return await planOfLines(linesIn(answer));
    },
    object: async (url, signal, fromByte = 0) => {
      const answer = await get(url, signal, fromByte > 0 ? { range: `bytes=${fromByte}-` } : {});
      await refuse(answer);
      return answer;
    },
    modelArchive: async (target, signal) => {
      const answer = await get(`models/${encodeURIComponent(target)}`, signal);
      if (answer.statusCode === 422) return { problem: await textOf(answer) };
      await refuse(answer);
      return answer;
    },
    objects: async (objects, signal) => {
      const answer = await post(
        "objects",
        objects.map(({ source }) => source.url.slice(source.url.lastIndexOf("/") + 1)),
        signal,
      );
      return parted(
        await bytesOf(answer),
        objects.map(({ sizeBytes }) => sizeBytes),
      );
    },
    report: async (report, signal) => JSON.parse(await textOf(await post("reports", report, signal))) as ReportAnswer,
    putPart: async (part, body, signal) => {
      await sendAll(open("PUT", `parts/${part}`, { "content-type": "application/gzip" }, signal), body);
    },
    putFile: async (folder, path, body, sizeBytes, signal) => {
      const segments = [folder, ...path.split("/")].map(encodeURIComponent);
      const length = sizeBytes === undefined ? {} : { "content-length": String(sizeBytes) };
      const headers = { "content-type": "application/octet-stream", ...length };
      await sendAll(open("PUT", `files/${segments.join("/")}`, headers, signal), body);
    },
    credentials: async (signal) => {
      const answer = await get("credentials", signal);
      await refuse(answer);
      return JSON.parse(await textOf(answer)) as TaskCredentials;
    },
    close,
  };
}

async function* linesIn(answer: IncomingMessage): AsyncGenerator<PlanLine> {
  for await (const { value } of readJsonLines("the plan", answer)) yield value as PlanLine;
}

async function sendAll(call: ClientRequest, body: Readable): Promise<void> {
  const answering = answerOf(call);
  // The server may refuse before it has read everything: then its answer says why, and not the broken pipe.
  const sending = pipeline(body, call).then(
    () => undefined,
    (error: unknown) => error,
  );
  const answer = await answering.catch(async (error: unknown) => {
    throw (await sending) ?? error;
  });
  await refuse(answer);
  await textOf(answer);
  const failure = await sending;
  if (failure !== undefined) throw failure;
}

/** Where the server answers now. */
export function serverUrl(server: TaskSpec["server"]): string {
  const file = server.file === undefined ? undefined : readOwnJson<{ url?: unknown }>(server.file);
  return typeof file?.url === "string" ? file.url : server.url;
}

function answerOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.on("response", resolve);
    call.on("error", reject);
    call.on("timeout", () => call.destroy(new Error("the server did not answer within 60 s")));
  });
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const textOf = async (answer: IncomingMessage): Promise<string> => (await bytesOf(answer)).toString("utf8");

/** Throws when it is not as long as its parts together. */
function parted(whole: Buffer, sizes: readonly number[]): readonly Buffer[] {
  let at = 0;
  const parts = sizes.map((size) => whole.subarray(at, (at += size)));
  if (at !== whole.length) throw new Error(`the objects ended early: ${whole.length} of ${at} bytes`);
  return parts;
}

async function refuse(answer: IncomingMessage): Promise<void> {
  const status = answer.statusCode ?? 500;
  if (status >= 200 && status < 300) return;
  const text = (await textOf(answer)).slice(0, 1_024);
  if (status === 410) throw new TaskGoneError("the server no longer knows this task");
  throw new ServerRefusalError(status, text);
}
