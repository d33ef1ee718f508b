// What a splitter has taken and not yet given out: chunks, joined only once enough are there for the next record.

export class PendingBytes {
  #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All bytes in one piece once there are `needed` of them, a view where that can be; undefined before. */
  push(chunk: Uint8Array, needed: number): Uint8Array | undefined {
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#length += chunk.length;
    return this.#length < needed ? undefined : this.all();
  }

  all(): Uint8Array {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
    return this.#chunks[0]!;
  }

  /** Keeps only what stands behind the first bytes. */
  drop(count: number): void {
    const rest = this.all().subarray(count);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
  }
}
