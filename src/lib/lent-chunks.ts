// Chunks that are lent, not given: a large body would otherwise leave its own size in buffers for the garbage collector, which
// then costs more than the disk. Whoever reads them copies what it keeps; everybody else reads the same source as usual.

export const lend: unique symbol = Symbol("lend chunks");

/** A source that can lend its chunks as well: read it in one of the two ways. */
export interface Lender {
  /** Each chunk may be used until the next one arrives. Ends, and fails, as the source itself does. */
  [lend](): AsyncIterable<Uint8Array>;
}

/** The chunks of a source, each good until the next one arrives; those of a source that lends none stay good. */
export const lentChunks = (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> =>
  isLender(source) ? source[lend]() : source;

export const isLender = (source: object): source is Lender => lend in source;

export const lending = <T extends object>(source: T, chunks: () => AsyncIterable<Uint8Array>): T & Lender =>
  Object.assign(source, { [lend]: chunks });

/** Smaller ones may be slices of a pool that others use, and are cheap to collect. */
const minFreedBytes = 16 * 1_024;

/** Frees the memory of a chunk now. It must be the only user of its buffer: what shares one with others is left alone. */
export function freeChunk({ buffer, byteOffset, byteLength }: Uint8Array): void {
  const isWhole = byteOffset === 0 && byteLength === buffer.byteLength;
  if (isWhole && byteLength >= minFreedBytes && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
