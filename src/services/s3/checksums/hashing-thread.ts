// MD5 of large bodies on a thread of its own: an ETag costs as much time as all else of an upload together, and would stop
// every other request meanwhile.
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";

/** Smaller bodies are hashed where they are: a thread's messages would cost more than their MD5. */
const minThreadBytes = 4 * 1_024 * 1_024;

/** Bytes go to the thread in buffers of this size, which travel back and forth. */
const bufferBytes = 512 * 1_024;
/** Per body; more would only grow while the thread is behind. */
const maxBuffers = 8;

export interface RunningMd5 {
  /** The bytes may change afterwards. A promise is to be awaited: the thread is behind. */
  update(bytes: Uint8Array): Promise<void> | undefined;
  digest(): Promise<Buffer>;
  /** Ends a body whose digest nobody wants any more. */
  drop(): void;
}

const workerSource = `
const { createHash } = require("node:crypto");
const { parentPort } = require("node:worker_threads");
const hashes = new Map();
parentPort.on("message", ({ id, bytes, length, isLast }) => {
  let hash = hashes.get(id);
  if (!hash) hashes.set(id, (hash = createHash("md5")));
  if (length > 0) hash.update(new Uint8Array(bytes, 0, length));
  if (isLast) hashes.delete(id);
  const digest = isLast ? hash.digest("hex") : undefined;
  parentPort.postMessage({ id, bytes, digest }, [bytes]);
});
`;

/** What the thread sends: a buffer to be used again, and the digest after the last. */
interface Answer {
  readonly id: number;
  readonly bytes: ArrayBuffer;
  readonly digest: string | undefined;
}

export class HashingThread {
  readonly #bodies = new Map<number, ThreadMd5>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** MD5 of a body of about `sizeBytes`; undefined where nobody knows. */
  startMd5(sizeBytes: number | undefined): RunningMd5 {
    if (sizeBytes === undefined || sizeBytes < minThreadBytes) return localMd5();
    const id = ++this.#lastId;
    const worker = (this.#worker ??= this.#start());
    const body = new ThreadMd5(
      (bytes, length, isLast) => worker.postMessage({ id, bytes, length, isLast }, [bytes]),
      () => this.#bodies.delete(id),
    );
    this.#bodies.set(id, body);
    return body;
  }

  #start(): Worker {
    const worker = new Worker(workerSource, { eval: true, execArgv: [], name: "hashing" });
    worker.on("message", ({ id, bytes, digest }: Answer) => this.#bodies.get(id)?.take(bytes, digest));
    const lose = (reason: Error): void => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const body of this.#bodies.values()) body.fail(reason);
      this.#bodies.clear();
    };
    worker.on("error", lose);
    worker.on("exit", (code) => lose(new Error(`the hashing thread ended with ${code}`)));
    worker.unref();
    return worker;
  }
}

function localMd5(): RunningMd5 {
  const hash = createHash("md5");
  return {
    update: (bytes) => {
      hash.update(bytes);
      return undefined;
    },
    digest: async () => hash.digest(),
    drop: () => {},
  };
}

type Send = (bytes: ArrayBuffer, length: number, isLast: boolean) => void;

class ThreadMd5 implements RunningMd5 {
  readonly #send: Send;
  readonly #end: () => void;
  readonly #free: ArrayBuffer[] = [];
  #made = 1;
  #current = new Uint8Array(bufferBytes);
  #filled = 0;
  #problem: Error | undefined;
  #wake: (() => void) | undefined;
  #digest: string | undefined;

  constructor(send: Send, end: () => void) {
    this.#send = send;
    this.#end = end;
  }

  update(bytes: Uint8Array): Promise<void> | undefined {
    const room = bufferBytes - this.#filled;
    // The usual case costs no promise.
    if (bytes.byteLength > room) return this.#updateInTurns(bytes);
    this.#current.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
    return undefined;
  }

  async #updateInTurns(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#filled === bufferBytes) await this.#next();
      const part = bytes.subarray(at, at + bufferBytes - this.#filled);
      this.#current.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
    }
  }

  async #next(): Promise<void> {
    this.#send(this.#current.buffer, this.#filled, false);
    this.#filled = 0;
    this.#current = new Uint8Array(await this.#freeBuffer());
  }

  async #freeBuffer(): Promise<ArrayBuffer> {
    for (;;) {
      if (this.#problem) throw this.#problem;
      const free = this.#free.pop();
      if (free) return free;
      if (this.#made < maxBuffers) {
        this.#made++;
        return new ArrayBuffer(bufferBytes);
      }
      await this.#news();
    }
  }

  async digest(): Promise<Buffer> {
    this.#send(this.#current.buffer, this.#filled, true);
    while (this.#digest === undefined) {
      if (this.#problem) throw this.#problem;
      await this.#news();
    }
    this.#end();
    return Buffer.from(this.#digest, "hex");
  }

  drop(): void {
    if (this.#digest !== undefined || this.#problem) return;
    this.#problem = new Error("dropped");
    // The thread forgets the body with its last buffer.
    this.#send(new ArrayBuffer(0), 0, true);
    this.#end();
  }

  take(bytes: ArrayBuffer, digest: string | undefined): void {
    this.#digest = digest;
    this.#free.push(bytes);
    this.#wake?.();
  }

  fail(problem: Error): void {
    this.#problem = problem;
    this.#wake?.();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
