// Writes an epoch from files of this machine on a thread that reads and writes as `cat` does, waiting in its writes: a FIFO takes 64 KiB, and
// through the event loop each of them costs a turn, and each object several. A write that waits for a reader who never reads would hold the
// thread, and the whole process at its exit, for ever: whoever wants it to end reads the FIFO itself.
import { closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { errorCode } from "../../lib/error-code.ts";
import { cutShort, type EpochPart, type FilePart } from "./epoch-parts.ts";
import type { PipeWriter } from "./pipe-writer.ts";

/** What the thread is sent at a time: parts, and bytes among them that are no file's. */
const mostParts = 256;
const mostBytes = 1_048_576;
const lookEveryMs = 5;
const mostLooks = 200;

/** Words of the control block. */
const isBusy = 0;
const isStopping = 1;
const controlWords = 2;

type Answer =
  | { readonly is: "written" }
  /** The reader left. */
  | { readonly is: "left" }
  /** The file is shorter than it was planned. */
  | { readonly is: "short"; readonly part: FilePart }
  | { readonly is: "failed"; readonly error: Error };

/** A worker is text, not a file, so that it survives bundling. Small parts leave together, when the buffer is full or the batch ends. */
const workerSource = `
const { parentPort, workerData: control } = process.getBuiltinModule("node:worker_threads");
const { openSync, closeSync, readSync, writeSync } = process.getBuiltinModule("node:fs");
const buffer = Buffer.allocUnsafeSlow(131_072);
let held = 0;
function flush(pipe) {
  for (let at = 0; at < held; ) {
    if (Atomics.load(control, ${isStopping})) throw new Error("asked to stop");
    at += writeSync(pipe, buffer, at, held - at);
  }
  held = 0;
}
function put(pipe, bytes) {
  for (let at = 0; at < bytes.length; ) {
    const taken = Math.min(bytes.length - at, buffer.length - held);
    buffer.set(bytes.subarray(at, at + taken), held);
    at += taken;
    held += taken;
    if (held === buffer.length) flush(pipe);
  }
}
function copy(pipe, { file, sizeBytes }) {
  const source = openSync(file);
  try {
    for (let left = sizeBytes; left > 0; ) {
      const read = readSync(source, buffer, held, Math.min(left, buffer.length - held));
      if (read === 0) return false;
      left -= read;
      held += read;
      if (held === buffer.length) flush(pipe);
    }
    return true;
  } finally {
    closeSync(source);
  }
}
function write({ pipe, parts }) {
  held = 0;
  try {
    for (const part of parts) {
      if (part.file === undefined) put(pipe, part);
      else if (!copy(pipe, part)) return { is: "short", part };
    }
    flush(pipe);
    return { is: "written" };
  } catch (error) {
    return error.code === "EPIPE" ? { is: "left" } : { is: "failed", error };
  }
}
parentPort.on("message", (batch) => {
  const answer = write(batch);
  Atomics.store(control, ${isBusy}, 0);
  Atomics.notify(control, ${isBusy});
  parentPort.postMessage(answer);
});
`;

const openAgain = (pipe: number, flags: number): number => openSync(`/proc/self/fd/${pipe}`, flags);
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export const canUseThreads = (): boolean => existsSync("/proc/self/fd");

/** The FIFO opened once more, so that writes wait. The open itself waits for nobody: for its time there is a reader of our own. */
function openWaiting(pipe: number): number {
  const reader = openAgain(pipe, O_RDONLY | O_NONBLOCK);
  try {
    return openAgain(pipe, O_WRONLY);
  } finally {
    closeSync(reader);
  }
}

/** How to end each of those that write now: Node waits for its threads before it exits. */
const writing = new Set<() => void>();
process.once("exit", () => {
  for (const release of writing) release();
});

class ThreadWriter implements PipeWriter {
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * controlWords));
  #worker: Worker | undefined;
  /** What the thread writes into now. */
  #pipe: number | undefined;

  async write(pipe: number, parts: AsyncIterable<EpochPart>, signal: AbortSignal): Promise<boolean> {
    const release = (): void => this.#release();
    signal.addEventListener("abort", release);
    writing.add(release);
    try {
      this.#pipe = openWaiting(pipe);
      for await (const batch of batchesOf(parts)) {
        signal.throwIfAborted();
        const answer = await this.#send({ pipe: this.#pipe, parts: batch });
        signal.throwIfAborted();
        if (answer.is === "left") return false;
        if (answer.is === "short") throw cutShort(answer.part);
        if (answer.is === "failed") throw answer.error;
      }
      return true;
    } finally {
      signal.removeEventListener("abort", release);
      writing.delete(release);
      if (this.#pipe !== undefined) closeSync(this.#pipe);
      this.#pipe = undefined;
      closeSync(pipe);
    }
  }

  close(): void {
    this.#release();
    void this.#worker?.terminate();
  }

  async #send(batch: { readonly pipe: number; readonly parts: readonly EpochPart[] }): Promise<Answer> {
    const worker = (this.#worker ??= new Worker(workerSource, {
      eval: true,
      execArgv: [],
      workerData: this.#control,
      name: "pipe",
    }));
    const answer = new Promise<Answer>((resolve, reject) => {
      const forget = (): void => void worker.off("message", taken).off("error", lost).off("exit", ended);
      const taken = (message: Answer): void => {
        forget();
        resolve(message);
      };
      const lost = (error: unknown): void => {
        forget();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const ended = (): void => lost(new Error("the thread of a pipe has ended"));
      worker.on("message", taken).on("error", lost).on("exit", ended);
    });
    Atomics.store(this.#control, isBusy, 1);
    worker.postMessage(batch);
    return answer;
  }

  /** Ends what the thread is writing: takes out of the FIFO what nobody reads, until the thread has noticed. */
  #release(): void {
    Atomics.store(this.#control, isStopping, 1);
    if (this.#pipe === undefined) return;
    const reader = openAgain(this.#pipe, O_RDONLY | O_NONBLOCK);
    const bin = Buffer.allocUnsafe(65_536);
    for (let looks = 0; looks < mostLooks && Atomics.load(this.#control, isBusy) === 1;) {
      try {
        readSync(reader, bin);
      } catch (error) {
        if (errorCode(error) !== "EAGAIN") throw error;
        looks++;
        Atomics.wait(this.#control, isBusy, 1, lookEveryMs);
      }
    }
    closeSync(reader);
  }
}

async function* batchesOf(parts: AsyncIterable<EpochPart>): AsyncGenerator<readonly EpochPart[]> {
  let batch: EpochPart[] = [];
  let bytes = 0;
  for await (const part of parts) {
    batch.push(part);
    if (!("file" in part)) bytes += part.length;
    if (batch.length < mostParts && bytes < mostBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

export const createThreadWriter = (): PipeWriter => new ThreadWriter();
