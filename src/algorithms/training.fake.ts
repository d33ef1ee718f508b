// Trains k-means on a task folder of its own, in this process: for tests.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../lib/clock.ts";
import { runAlgorithm } from "./run.ts";
import { type FakeTask, layTaskFolder } from "./task-folder.fake.ts";

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly failure: string | undefined;
  readonly model: Uint8Array | undefined;
}

export async function trainTask(task: FakeTask, stop: AbortSignal = new AbortController().signal): Promise<Ran> {
  const { root, remove } = layTaskFolder(task);
  let output = "";
  const stdout = { write: (text: string) => (output += text) };
  try {
    const code = await runAlgorithm("kmeans", "train", { root, environment: {}, stdout, clock: systemClock, stop });
    const read = (path: string): Buffer | undefined =>
      existsSync(join(root, path)) ? readFileSync(join(root, path)) : undefined;
    return { code, output, failure: read("output/failure")?.toString(), model: read("model/model_algo-1") };
  } finally {
    remove();
  }
}
