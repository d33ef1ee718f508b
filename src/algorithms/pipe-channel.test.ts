// k-means on a channel in Pipe mode: a FIFO per epoch, made one after the other as the agent makes them.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { runAlgorithm } from "./run.ts";
import { encodeRows, layTaskFolder, type FakeTask } from "./task-folder.fake.ts";

const rows = Array.from({ length: 300 }, (_, at) => Float32Array.of((at % 3) * 100, (at % 2) * 0.1));

interface Piped {
  readonly code: number;
  readonly output: string;
  readonly failure: () => string;
}

/** Trains on what each epoch's FIFO gives. */
async function piped(channels: FakeTask["channels"], contents: Readonly<Record<string, Uint8Array | string>>) {
  const { root, remove } = layTaskFolder({
    hyperparameters: { k: "3", feature_dim: "2", mini_batch_size: "50", epochs: "3" },
    channels,
    files: {},
  });
  onTestFinished(remove);
  const data = join(root, "input", "data");
  mkdirSync(data, { recursive: true });
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(join(root, name), content);
    const feed = `for epoch in 0 1 2 3; do mkfifo "$1_$epoch"; cat "$2" > "$1_$epoch"; done`;
    const writer = spawn("/bin/sh", ["-c", feed, "sh", join(data, name), join(root, name)], {
      stdio: "ignore",
      detached: true,
    });
    onTestFinished(() => void process.kill(-writer.pid!, "SIGKILL"));
  }
  let output = "";
  const code = await runAlgorithm("kmeans", "train", {
    root,
    environment: {},
    stdout: { write: (text) => (output += text) },
    clock: systemClock,
    stop: new AbortController().signal,
  });
  return { code, output, failure: () => readFileSync(join(root, "output", "failure"), "utf8") } satisfies Piped;
}

test("every epoch is read from a pipe of its own, and the test channel from its first", async () => {
  const type = "text/csv;label_size=0";
  const { code, output } = await piped(
    { train: { TrainingInputMode: "Pipe" }, test: { TrainingInputMode: "Pipe", ContentType: type } },
    { train: encodeRows(rows), test: "0,0\n100,0\n200,0\n" },
  );
  expect(code, output).toBe(0);
  for (const epoch of [0, 1, 2]) expect(output).toContain(`epoch ${epoch} read 300 records`);
  expect(output).toContain("evaluated 3 test records");
});

test("a pipe that gives nothing, or the other format, fails with the channel's name", async () => {
  const empty = await piped({ train: { TrainingInputMode: "Pipe" } }, { train: "" });
  expect(empty.code).toBe(1);
  expect(empty.failure()).toContain("the channel 'train' holds");
  const text = await piped({ train: { TrainingInputMode: "Pipe" } }, { train: "1,2\n3,4\n" });
  expect(text.failure()).toContain("train");
  expect(text.failure()).toContain("it is text, but the channel's content type is");
});
