// Runs chunks with the plain kernels on this thread: what the fast runner must agree with.
import { type BlockLayout, type ChunkRunner, runChunk } from "./centroid-assigner.ts";
import { referenceKernels } from "./kmeans-kernels.reference.ts";

export function createReferenceRunner(layout: BlockLayout): ChunkRunner {
  const memory = new ArrayBuffer(layout.totalBytes);
  const kernels = referenceKernels(memory);
  return {
    memory,
    async run(layout, work) {
      for (let chunk = 0; chunk < layout.chunkCount; chunk++) runChunk(kernels, layout, work, chunk);
    },
    close() {},
  };
}
