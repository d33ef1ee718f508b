// A request's body, taken from the socket only when somebody reads it: the first read sends 100 Continue, a full buffer
// stops the socket, and destroying the body leaves the connection alone, so that an error can still be answered.
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { AwsError } from "../lib/aws-error.ts";
import { freeChunk, lend, type Lender } from "../lib/lent-chunks.ts";

const highWaterMark = 256 * 1_024;

/** Sees every byte, and has the last word on whether the body is what it was said to be. */
export interface BodyCheck {
  update(chunk: Uint8Array): void;
  /** Called once after the last byte; the error fails the body instead of ending it. */
  problemAtEnd(): Error | undefined;
}

export class RequestBody extends Readable implements Lender {
  readonly #source: IncomingMessage;
  readonly #onFirstRead: () => void;
  readonly #check: BodyCheck | undefined;
  #isAttached = false;
  /** Set while the chunks are lent. */
  #lentChunks: Buffer[] | undefined;
  #lentBytes = 0;
  #hasLentAll = false;
  #wakeBorrower: () => void = () => {};

  constructor(source: IncomingMessage, onFirstRead: () => void, check?: BodyCheck) {
    super({ highWaterMark });
    this.#source = source;
    this.#onFirstRead = onFirstRead;
    this.#check = check;
    // A reader that has gone does not hear of it, and nobody else must.
    this.on("error", () => {});
  }

  /** Past the stream's own machinery; the body ends, fails and is destroyed as ever. */
  async *[lend](): AsyncGenerator<Uint8Array> {
    this.#lentChunks = [];
    this.#attach();
    try {
      for (;;) {
        const chunk = this.#lentChunks.shift();
        if (chunk) {
          this.#lentBytes -= chunk.byteLength;
          yield chunk;
          freeChunk(chunk);
        } else if (this.destroyed) throw this.errored ?? new Error("the body was let go of");
        else if (this.#hasLentAll) return;
        else await this.#lentNews();
      }
    } finally {
      if (!this.#hasLentAll) this.destroy();
    }
  }

  #lentNews(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeBorrower = resolve;
      this.#source.resume();
    });
  }

  override _read(): void {
    if (!this.#isAttached) this.#attach();
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#isAttached) {
      this.#source.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose);
      this.#source.pause();
    }
    this.#wakeBorrower();
    done(error);
  }

  #attach(): void {
    this.#isAttached = true;
    this.#onFirstRead();
    this.#source.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose);
    if (this.#source.destroyed && !this.#source.readableEnded) this.#onClose();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#check?.update(chunk);
    if (this.#lentChunks) this.#queue(this.#lentChunks, chunk);
    else if (!this.push(chunk)) this.#source.pause();
  };

  #queue(chunks: Buffer[], chunk: Buffer): void {
    chunks.push(chunk);
    this.#lentBytes += chunk.byteLength;
    if (this.#lentBytes >= highWaterMark) this.#source.pause();
    this.#wakeBorrower();
  }

  readonly #onEnd = (): void => {
    const problem = this.#check?.problemAtEnd();
    if (problem) this.destroy(problem);
    else if (this.#lentChunks) {
      this.#hasLentAll = true;
      this.#wakeBorrower();
    } else this.push(null);
  };

  readonly #onClose = (): void => {
    if (!this.#source.readableEnded) this.destroy(incompleteBody());
  };
}

const incompleteBody = (): AwsError =>
  new AwsError(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    { httpStatus: 400 },
  );

export const tooLarge = (limitBytes: number): AwsError =>
  new AwsError("RequestEntityTooLarge", `HTTP content length exceeded ${limitBytes} bytes.`, { httpStatus: 413 });

/** The whole body. Throws RequestEntityTooLarge beyond `limitBytes`, and whatever the stream fails with. */
export async function readWhole(body: Readable, limitBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** The same without a stream in between, for the many small bodies. */
export function readMessage(source: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (error: AwsError): void => {
      source.off("data", onData).off("end", onEnd).off("close", onClose);
      source.pause();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limitBytes) stop(tooLarge(limitBytes));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      source.off("close", onClose);
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes));
    };
    const onClose = (): void => stop(incompleteBody());
    if (source.destroyed) {
      reject(incompleteBody());
      return;
    }
    source.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}
