// How an agent starts and signals its program. One implementation per backend.

export interface ProgramExit {
  /** As a shell says it: 128 + n after signal n. */
  readonly exitCode: number;
  readonly signal?: string;
  /** ms since 1970. */
  readonly endedAt: number;
  /** Why, where the runner knows more than the code, e.g. out of memory. */
  readonly failure?: string;
  /** Set where the program could not be executed at all: why, for the user. */
  readonly neverRan?: string;
}

export type ProgramState =
  | { readonly is: "not-started" }
  | { readonly is: "running"; readonly startedAt: number }
  | { readonly is: "ended"; readonly startedAt: number; readonly exit: ProgramExit }
  /** It was started, and is gone without a trace of how it ended. */
  | { readonly is: "lost"; readonly startedAt: number };

export interface Usage {
  /** CPU time in ms that the processes alive now have used. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  /** What it may take at most, where it has a limit of its own. */
  readonly memoryLimitBytes?: number;
}

/** Another address of this machine, or why there is none, for the user. */
export type CredentialsHost = { readonly host: string } | { readonly problem: string };

export interface Runner {
  /** Makes the root ready: called again after a restart, as long as the program was not released. Throws StageError when it never can. */
  prepare(): Promise<void>;
  /** Starts the program, at most once in the task's life. `onEnd` may tell early that it ended; `look` tells for sure. */
  release(onEnd: () => void): Promise<void>;
  /** When it says "ended", all output is in the task's folder. */
  look(): Promise<ProgramState>;
  /** Asks the program itself to end (SIGTERM); false when it is not there yet, or no longer. */
  terminate(): Promise<boolean>;
  /** SIGKILL for everything of the task. Repeat until `look` says it ended. */
  kill(): Promise<void>;
  /** `kill`, and whatever keeps the books of the program too; works after the task's folder is gone. */
  destroy(): Promise<void>;
  /** After the program's end: what it left in the task's folder may be read by this user. */
  reclaim(): Promise<void>;
  usage(): Promise<Usage>;
  /** Bytes on the disk that the program takes outside the task's folder. */
  outsideBytes(): Promise<number>;
  /** Address of this machine where the program reaches its gateway. */
  gatewayHost(): string;
  /** Where the program's SDKs take credentials from, if not from the gateway's own address. */
  credentialsHost(): Promise<CredentialsHost | undefined>;
  /** A port for the model, before the release. */
  choosePort(): Promise<number>;
  /** Address where a released program listens; undefined while it has none. */
  servingHost(): Promise<string | undefined>;
}
