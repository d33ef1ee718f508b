// What the inputs of a task may take of its volume while they are brought in: counted as they are unpacked, not when it is too late.
import { Transform } from "node:stream";
import { volumeText } from "./disk-use.ts";
import { StageError } from "./planned-path.ts";

export class DiskQuota {
  readonly #limitBytes: number;
  #takenBytes = 0;

  /** Undefined: no limit. */
  constructor(limitBytes: number | undefined) {
    this.#limitBytes = limitBytes ?? Infinity;
  }

  get leftBytes(): number {
    return Math.max(0, this.#limitBytes - this.#takenBytes);
  }

  /** Throws StageError, with a text for the user, where `what` goes beyond the volume. */
  take(bytes: number, what: string): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes <= this.#limitBytes) return;
    throw new StageError(
      `${what} does not fit: the inputs take more than the volume of ${volumeText(this.#limitBytes)}. Please use a larger VolumeSizeInGB.`,
    );
  }

  /** Of an attempt that failed: its bytes will come again. */
  giveBack(bytes: number): void {
    this.#takenBytes -= bytes;
  }

  /** Counts what passes, for one attempt; `undo` gives it back. */
  meter(what: string): { readonly stream: Transform; readonly undo: () => void } {
    let passedBytes = 0;
    const stream = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        passedBytes += chunk.length;
        try {
          this.take(chunk.length, what);
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        done(null, chunk);
      },
    });
    return { stream, undo: () => this.giveBack(passedBytes) };
  }
}
