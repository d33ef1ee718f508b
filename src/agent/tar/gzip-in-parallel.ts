// gzip on all cores, as pigz does it: blocks are deflated each for itself on Node's thread pool, end on a byte (zlib's sync flush), and
// follow each other as one deflate stream in one gzip member (RFC 1951, RFC 1952). The same input gives the same bytes.
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, type ZlibOptions } from "node:zlib";

const blockBytes = 1 << 20;
const sliceBytes = 16 << 10;
const slices = 4;

/** Deflate, made by a Unix, no name, no time. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/** A last block without a byte. */
const lastBlock = Buffer.from([3, 0]);

const deflate = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw);

const stored: ZlibOptions = { level: 0 };
const bySymbols: ZlibOptions = { level: 1, strategy: constants.Z_HUFFMAN_ONLY };
const quickly: ZlibOptions = { level: 1 };
const well: ZlibOptions = { level: 6, memLevel: 9 };

/** One trip to the thread pool, and none of zlib's 16 KiB steps: no block grows by more than a thousandth. */
const deflated = (bytes: Uint8Array, way: ZlibOptions): Promise<Buffer> =>
  deflate(bytes, {
    ...way,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: bytes.length + (bytes.length >> 8) + 1_024,
  });

/** Slices spread over the block. */
function sampleOf(block: Uint8Array): Uint8Array {
  const step = (block.length - sliceBytes) / (slices - 1);
  const starts = Array.from({ length: slices }, (_, index) => Math.floor(index * step));
  return Buffer.concat(starts.map((start) => block.subarray(start, start + sliceBytes)));
}

/**
 * What a sample says: weights of a model have nothing that repeats, only symbols that are rarer than others, and archives inside the
 * archive have not even that. Searching those for repetitions takes most of the time and finds nothing.
 */
async function wayFor(block: Uint8Array): Promise<ZlibOptions> {
  if (block.length <= slices * sliceBytes) return well;
  const sample = sampleOf(block);
  const [searched, counted] = await Promise.all([deflated(sample, quickly), deflated(sample, bySymbols)]);
  if (Math.min(searched.length, counted.length) > 0.98 * sample.length) return stored;
  return counted.length <= 1.01 * searched.length ? bySymbols : well;
}

const deflatedBlock = async (block: Uint8Array): Promise<Buffer> => deflated(block, await wayFor(block));

async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (size + rest.length >= blockBytes) {
      const taken = blockBytes - size;
      yield Buffer.concat([...chunks, rest.subarray(0, taken)]);
      rest = rest.subarray(taken);
      chunks = [];
      size = 0;
    }
    if (rest.length > 0) chunks.push(rest);
    size += rest.length;
  }
  if (size > 0) yield Buffer.concat(chunks);
}

/** One gzip member of what `source` gives. Holds at most `blocksAtOnce` blocks of 1 MiB and what became of them; fails as the source fails. */
export async function* gzipInParallel(
  source: AsyncIterable<Uint8Array>,
  blocksAtOnce = availableParallelism() + 1,
): AsyncGenerator<Buffer> {
  const waiting: Promise<Buffer>[] = [];
  let checksum = 0;
  let totalBytes = 0;
  yield header;
  for await (const block of inBlocks(source)) {
    checksum = crc32(block, checksum);
    totalBytes += block.length;
    const pending = deflatedBlock(block);
    // Asked for below, unless the source or the reader ends before.
    pending.catch(() => undefined);
    waiting.push(pending);
    const first = waiting.length >= blocksAtOnce ? waiting.shift() : undefined;
    if (first) yield await first;
  }
  for (const pending of waiting) yield await pending;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(totalBytes % 2 ** 32, 4);
  yield Buffer.concat([lastBlock, trailer]);
}
