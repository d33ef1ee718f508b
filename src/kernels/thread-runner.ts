// Runs chunks with the WebAssembly kernels on this thread and on workers over one shared memory. Whoever is free takes
// the next chunk from a counter, so that workers may start late, or never, without changing any result.
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { BlockLayout, ChunkRunner, ChunkWork } from "./centroid-assigner.ts";
import { kmeansWasm } from "./kmeans.wasm.generated.ts";
import type { KMeansKernels } from "./kmeans-kernels.ts";
import { type SharedMemory, webAssembly } from "./web-assembly.ts";

const pageBytes = 65_536;

/** How long this thread sleeps on the others' last chunks before it looks whether they are still there. */
const lookAfterMs = 100;

type RunChunk = (
  chunk: number,
  rowCount: number,
  isSparse: boolean,
  compresses: boolean,
  sums: boolean,
  ...layout: readonly number[]
) => void;

interface KMeansExports extends KMeansKernels {
  readonly runChunk: RunChunk;
}

/** Words of the control block. */
const generation = 0;
const nextChunk = 1;
const finishedChunks = 2;
const isClosing = 3;
const rowCount = 4;
const flags = 5;
const controlWords = 6;

const compileKernels = (): object => new webAssembly.Module(Buffer.from(kmeansWasm, "base64"));

const instantiate = (module: object, memory: SharedMemory): KMeansExports =>
  new webAssembly.Instance(module, { env: { memory } }).exports as unknown as KMeansExports;

/** The layout as runChunk's trailing parameters. */
const layoutArguments = (layout: BlockLayout): readonly number[] =>
  [
    [layout.chunkCount, layout.width, layout.centroidCount, layout.panelCount],
    [layout.values, layout.indices, layout.starts, layout.lengths, layout.nearest, layout.scores],
    [layout.panels, layout.norms, layout.partials, layout.partialBytes],
  ].flat();

/** A worker is text, not a file, so that it survives bundling. It sleeps on the generation word between blocks. */
const workerSource = `
const { workerData: { module, memory, control, layout } } = process.getBuiltinModule("node:worker_threads");
const { runChunk } = new WebAssembly.Instance(module, { env: { memory } }).exports;
let seen = 0;
for (;;) {
  Atomics.wait(control, ${generation}, seen);
  if (Atomics.load(control, ${isClosing})) break;
  seen = Atomics.load(control, ${generation});
  for (;;) {
    const chunk = Atomics.add(control, ${nextChunk}, 1);
    if (chunk >= layout[0]) break;
    const flags = control[${flags}];
    runChunk(chunk, control[${rowCount}], flags & 1, flags & 2, flags & 4, ...layout);
    Atomics.add(control, ${finishedChunks}, 1);
    Atomics.notify(control, ${finishedChunks});
  }
}
`;

function createMemory(bytes: number): SharedMemory {
  const pages = Math.max(1, Math.ceil(bytes / pageBytes));
  if (pages > 65_536)
    throw new RangeError(`${bytes} bytes are more than WebAssembly can address: fewer centres, or fewer features`);
  return new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

class ThreadRunner implements ChunkRunner {
  readonly memory: ArrayBufferLike;
  readonly #runChunk: RunChunk;
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * controlWords));
  readonly #layout: readonly number[];
  #lost: Error | undefined;

  constructor(layout: BlockLayout, threads: number, workerSource: string) {
    const memory = createMemory(layout.totalBytes);
    const module = compileKernels();
    this.memory = memory.buffer;
    this.#runChunk = instantiate(module, memory).runChunk;
    this.#layout = layoutArguments(layout);
    const workerData = { module, memory, control: this.#control, layout: this.#layout };
    const count = Math.min(threads, layout.chunkCount) - 1;
    for (let started = 0; started < count; started++) {
      const worker = new Worker(workerSource, { eval: true, execArgv: [], workerData, name: "kernels" });
      worker.on("error", (error) => this.#lose(error instanceof Error ? error.message : String(error)));
      worker.on("exit", (code) => this.#lose(`exit code ${code}`));
      worker.unref();
    }
  }

  async run(layout: BlockLayout, work: ChunkWork): Promise<void> {
    const control = this.#control;
    control[rowCount] = work.rowCount;
    control[flags] = (work.isSparse ? 1 : 0) | (work.compresses ? 2 : 0) | (work.sums ? 4 : 0);
    Atomics.store(control, finishedChunks, 0);
    // From here on workers may take chunks: everything above must be in place.
    Atomics.store(control, nextChunk, 0);
    Atomics.add(control, generation, 1);
    Atomics.notify(control, generation);
    for (
      let chunk = Atomics.add(control, nextChunk, 1);
      chunk < layout.chunkCount;
      chunk = Atomics.add(control, nextChunk, 1)
    ) {
      this.#runChunk(chunk, work.rowCount, work.isSparse, work.compresses, work.sums, ...this.#layout);
      Atomics.add(control, finishedChunks, 1);
    }
    for (
      let done = Atomics.load(control, finishedChunks);
      done < layout.chunkCount;
      done = Atomics.load(control, finishedChunks)
    ) {
      if (Atomics.wait(control, finishedChunks, done, lookAfterMs) !== "timed-out") continue;
      // The news of a worker's death comes by the event loop, which must turn for it.
      await setImmediate();
      if (this.#lost && Atomics.load(control, finishedChunks) === done) throw this.#lost;
    }
  }

  #lose(why: string): void {
    if (Atomics.load(this.#control, isClosing)) return;
    this.#lost ??= new Error(`a kernel thread ended before its work was done: ${why}`);
  }

  close(): void {
    Atomics.store(this.#control, isClosing, 1);
    Atomics.add(this.#control, generation, 1);
    Atomics.notify(this.#control, generation);
  }
}

/**
 * @param threads this one included; the same results whatever it is
 * @param source what a worker runs; tests have one that dies
 */
export const createThreadRunner = (layout: BlockLayout, threads: number, source = workerSource): ChunkRunner =>
  new ThreadRunner(layout, threads, source);
