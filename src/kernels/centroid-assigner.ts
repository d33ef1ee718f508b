// Assigns blocks of rows to their nearest centroids and sums them per centroid: the step that mini-batch and Lloyd
// k-means share. A block is cut into chunks by its shape alone and the chunks' sums are added in order, so the result
// does not depend on how many threads worked.
import { type KMeansKernels, panelsFor, panelWidth } from "./kmeans-kernels.ts";

export interface BlockShape {
  readonly width: number;
  readonly centroidCount: number;
  /** Rows that a block should hold; it may hold fewer where they are wide. */
  readonly wantedRows: number;
  /** Values that a block may hold; default 8 Mi (32 MiB of float32). */
  readonly maxValues?: number;
}

export interface BlockLayout {
  readonly width: number;
  readonly centroidCount: number;
  readonly panelCount: number;
  /** Rows that fit into a block, at least one. */
  readonly rowCapacity: number;
  /** Values that fit into a block of sparse rows. */
  readonly valueCapacity: number;
  readonly chunkCount: number;
  /** Byte offsets. */
  readonly values: number;
  readonly indices: number;
  readonly starts: number;
  readonly lengths: number;
  readonly nearest: number;
  readonly scores: number;
  readonly panels: number;
  readonly norms: number;
  /** Per chunk: float32 sums of every centroid, then uint32 members. */
  readonly partials: number;
  readonly partialBytes: number;
  readonly totalBytes: number;
}

const defaultMaxValues = 1 << 23;
const maxPartialBytes = 1 << 28;
const rowsPerChunk = 128;
const maxChunks = 32;
const alignment = 64;

/** Cuts the memory. Depends on the shape alone. */
export function layOut({ width, centroidCount, wantedRows, maxValues = defaultMaxValues }: BlockShape): BlockLayout {
  const rowCapacity = Math.max(1, Math.min(wantedRows, Math.floor(maxValues / width)));
  const valueCapacity = rowCapacity * width;
  const panelCount = panelsFor(centroidCount);
  const partialBytes = Math.ceil(((width + 1) * centroidCount * 4) / alignment) * alignment;
  const affordable = Math.max(1, Math.floor(maxPartialBytes / partialBytes));
  const chunkCount = Math.max(1, Math.min(maxChunks, affordable, Math.ceil(rowCapacity / rowsPerChunk)));
  let end = 0;
  const take = (bytes: number): number => {
    const at = end;
    end = Math.ceil((end + bytes) / alignment) * alignment;
    return at;
  };
  return {
    width,
    centroidCount,
    panelCount,
    rowCapacity,
    valueCapacity,
    chunkCount,
    values: take(valueCapacity * 4),
    indices: take(valueCapacity * 4),
    starts: take(rowCapacity * 4),
    lengths: take(rowCapacity * 4),
    nearest: take(rowCapacity * 4),
    scores: take(rowCapacity * 4),
    panels: take(panelCount * panelWidth * width * 4),
    norms: take(panelCount * panelWidth * 4),
    partials: take(partialBytes * chunkCount),
    partialBytes,
    totalBytes: end,
  };
}

/** What is done to a chunk of a block. */
export interface ChunkWork {
  readonly rowCount: number;
  readonly isSparse: boolean;
  /** Turn dense rows into sparse ones first. */
  readonly compresses: boolean;
  readonly sums: boolean;
}

/** Rows of a chunk: an equal share, the same on every machine. */
export function chunkRows(
  layout: BlockLayout,
  rowCount: number,
  chunk: number,
): { readonly first: number; readonly count: number } {
  const share = Math.ceil(rowCount / layout.chunkCount);
  const first = Math.min(rowCount, chunk * share);
  return { first, count: Math.min(rowCount, first + share) - first };
}

/** Rows that go through assignment and summation together, so that they are still in cache for the second. */
const rowsInCache = 64;

function assignRows(
  kernels: KMeansKernels,
  layout: BlockLayout,
  work: ChunkWork,
  chunk: number,
  first: number,
  count: number,
): void {
  const { width, panels, norms, panelCount, values, indices } = layout;
  const nearest = layout.nearest + first * 4;
  const scores = layout.scores + first * 4;
  const sums = layout.partials + chunk * layout.partialBytes;
  const members = sums + layout.centroidCount * width * 4;
  if (work.isSparse) {
    const starts = layout.starts + first * 4;
    const lengths = layout.lengths + first * 4;
    kernels.nearestSparse(values, indices, starts, lengths, count, width, panels, norms, panelCount, nearest, scores);
    if (work.sums) kernels.sumSparse(values, indices, starts, lengths, count, width, nearest, sums, members);
    return;
  }
  const rows = values + first * width * 4;
  kernels.nearestDense(rows, count, width, panels, norms, panelCount, nearest, scores);
  if (work.sums) kernels.sumDense(rows, count, width, nearest, sums, members);
}

/** One chunk, by whichever thread took it. The WebAssembly module has its own copy of this. */
export function runChunk(kernels: KMeansKernels, layout: BlockLayout, work: ChunkWork, chunk: number): void {
  const { values, indices, starts, lengths, width } = layout;
  const { first, count } = chunkRows(layout, work.rowCount, chunk);
  let to = first * width;
  for (let done = 0; done < count; done += rowsInCache) {
    const from = first + done;
    const rows = Math.min(rowsInCache, count - done);
    if (work.compresses) to = kernels.compressRows(values, indices, starts, lengths, from, rows, width, to);
    assignRows(kernels, layout, work, chunk, from, rows);
  }
}

/** Runs every chunk of the work, on as many threads as it has. */
export interface ChunkRunner {
  readonly memory: ArrayBufferLike;
  /** Resolves once every chunk is done; the block must stay as it is until then. Rejects when a thread died inside a chunk. */
  run(layout: BlockLayout, work: ChunkWork): Promise<void>;
  close(): void;
}

/** One block of rows, its centroids, and the way to run the kernels over them. */
export class CentroidAssigner {
  readonly layout: BlockLayout;
  /** Dense rows go here, `width` values each. */
  readonly values: Float32Array;
  readonly indices: Uint32Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  /** After `run`: the centroid of each row. */
  readonly nearest: Uint32Array;
  /** After `run`: |c|² − 2 x·c of each row, as float32; Infinity or NaN for a row that is not finite. */
  readonly scores: Float32Array;
  readonly #runner: ChunkRunner;
  readonly #panels: Float32Array;
  readonly #norms: Float32Array;

  constructor(layout: BlockLayout, runner: ChunkRunner) {
    const { memory } = runner;
    this.layout = layout;
    this.#runner = runner;
    this.values = new Float32Array(memory, layout.values, layout.valueCapacity);
    this.indices = new Uint32Array(memory, layout.indices, layout.valueCapacity);
    this.starts = new Uint32Array(memory, layout.starts, layout.rowCapacity);
    this.lengths = new Uint32Array(memory, layout.lengths, layout.rowCapacity);
    this.nearest = new Uint32Array(memory, layout.nearest, layout.rowCapacity);
    this.scores = new Float32Array(memory, layout.scores, layout.rowCapacity);
    this.#panels = new Float32Array(memory, layout.panels, layout.panelCount * panelWidth * layout.width);
    this.#norms = new Float32Array(memory, layout.norms, layout.panelCount * panelWidth);
  }

  /** @param centroids row-major, centroidCount × width */
  setCentroids(centroids: ArrayLike<number>): void {
    const { width, centroidCount } = this.layout;
    this.#norms.fill(Infinity);
    for (let centroid = 0; centroid < centroidCount; centroid++) {
      const column = centroid % panelWidth;
      let to = (centroid - column) * width + column;
      let norm = 0;
      for (let feature = 0; feature < width; feature++, to += panelWidth) {
        const value = Math.fround(centroids[centroid * width + feature]!);
        this.#panels[to] = value;
        norm += value * value;
      }
      this.#norms[centroid] = norm;
    }
  }

  /** Fills `nearest` and `scores`, and the sums where asked for. */
  async run(work: ChunkWork): Promise<void> {
    const { partials, partialBytes, chunkCount } = this.layout;
    if (work.sums) new Uint8Array(this.#runner.memory, partials, partialBytes * chunkCount).fill(0);
    await this.#runner.run(this.layout, work);
  }

  /** Adds the block's sums (centroidCount × width) and members to the totals, chunk by chunk in order. */
  addSums(totals: Float64Array, members: Float64Array): void {
    const { width, centroidCount, chunkCount, partials, partialBytes } = this.layout;
    for (let chunk = 0; chunk < chunkCount; chunk++) {
      const at = partials + chunk * partialBytes;
      const sums = new Float32Array(this.#runner.memory, at, centroidCount * width);
      const counts = new Uint32Array(this.#runner.memory, at + sums.byteLength, centroidCount);
      for (let centroid = 0; centroid < centroidCount; centroid++) {
        const count = counts[centroid]!;
        if (count === 0) continue;
        members[centroid]! += count;
        const end = (centroid + 1) * width;
        for (let index = centroid * width; index < end; index++) totals[index]! += sums[index]!;
      }
    }
  }

  close(): void {
    this.#runner.close();
  }
}
