// Buffers for writing, used again: fresh ones would cost the kernel their pages and the garbage collector their marking.

export const blockBytes = 256 * 1024;
/** More are made for whoever asks, and not kept. */
const maxKept = 32;

export class BlockPool {
  readonly #free: Uint8Array[] = [];

  /** `blockBytes` long; with whatever was in it before. */
  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  /** Nobody may use it any more. */
  giveBack(block: Uint8Array): void {
    if (this.#free.length < maxKept) this.#free.push(block);
  }
}
