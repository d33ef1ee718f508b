import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PlannedChannel } from "../../task/channel-plan.ts";
import { setUpTask, until, type TaskBench } from "../task-bench.fake.ts";

/** A task whose channels hold these objects. */
async function piped(
  source: string,
  channels: Readonly<Record<string, readonly string[]>>,
  folderOf?: (name: string) => string,
): Promise<TaskBench> {
  const bench = await setUpTask();
  mkdirSync(join(bench.folder, "objects"));
  const planned = Object.entries(channels).map(([name, contents]): PlannedChannel => {
    const objects = contents.map((content, at) => {
      const file = join(bench.folder, "objects", `${name}-${at}`);
      writeFileSync(file, content);
      return { path: String(at), sizeBytes: content.length, source: { file }, isGzip: false };
    });
    return { name, mode: "Pipe", objects, ...(folderOf ? { folder: folderOf(name) } : {}) };
  });
  bench.server.plan = { channels: planned, modelArchives: [] };
  await bench.start(
    `const fs = require("fs"); const data = process.env.SAGEMAKER_BASE_DIR + "/input/data/"; ${source}`,
    {
      hasPipes: true,
      environment: { MARK: join(bench.folder, "mark") },
    },
  );
  return bench;
}

const ended = (bench: TaskBench) =>
  until(
    "the end",
    async () => {
      await bench.backend.inspect(bench.key);
      return bench.server.end() !== undefined;
    },
    20_000,
  );

test("each epoch of each channel is a FIFO of its own with all of its bytes, and there is always another", async () => {
  const bench = await piped(
    `for (let epoch = 0; epoch < 4; epoch++) for (const name of ["train", "other"])
       console.log(name, epoch, fs.readFileSync(data + name + "_" + epoch).length);`,
    { train: ["a".repeat(300_000), "b".repeat(70_001)], other: ["c"] },
  );
  await ended(bench);
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
  const expected = [0, 1, 2, 3].flatMap((epoch) => [`train ${epoch} 370001`, `other ${epoch} 1`]);
  expect(bench.server.lines()).toEqual(expected);
});

test("the FIFOs of a channel with a folder of its own lie beside that folder", async () => {
  const bench = await piped(
    `const base = process.env.SAGEMAKER_BASE_DIR + "/processing/";
     for (let epoch = 0; epoch < 2; epoch++) for (const name of ["deep/one", "deep/two", "three"])
       console.log(name, epoch, fs.readFileSync(base + name + "_" + epoch, "utf8"));`,
    { one: ["1", "1"], two: ["2"], three: ["3"] },
    (name) => (name === "three" ? "processing/three" : `processing/deep/${name}`),
  );
  await ended(bench);
  expect(bench.server.lines()).toEqual(
    [0, 1].flatMap((epoch) => [`deep/one ${epoch} 11`, `deep/two ${epoch} 2`, `three ${epoch} 3`]),
  );
});

test("a file that another channel brings to where a FIFO belongs fails the task with both names", async () => {
  const bench = await setUpTask();
  const file = join(bench.folder, "object");
  writeFileSync(file, "x");
  const object = (path: string) => ({ path, sizeBytes: 1, source: { file }, isGzip: false });
  bench.server.plan = {
    channels: [
      { name: "files", mode: "File", folder: "processing", objects: [object("train_0")] },
      { name: "train", mode: "Pipe", folder: "processing/train", objects: [object("0")] },
    ],
    modelArchives: [],
  };
  await bench.start(`console.log("started")`, { hasPipes: true });
  await ended(bench);
  expect(bench.server.end()).toMatchObject({
    how: "setup-failed",
    failure: "Channel train: its FIFO would be where a file of another lies: /opt/ml/processing/train_0",
  });
});

test("a reader may leave an epoch early, or never open a channel", async () => {
  const bench = await piped(
    `const file = fs.openSync(data + "train_0"); fs.readSync(file, Buffer.alloc(10)); fs.closeSync(file);
     console.log("next", fs.readFileSync(data + "train_1").length);`,
    { train: ["a".repeat(500_000)], unread: ["b".repeat(500_000)] },
  );
  await ended(bench);
  expect(bench.server.lines()).toEqual(["next 500000"]);
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
});

test("an agent that is killed between epochs goes on with the next one", async () => {
  const bench = await piped(
    `fs.readFileSync(data + "train_0"); fs.writeFileSync(process.env.MARK, "");
     setTimeout(() => console.log("second", fs.readFileSync(data + "train_1").length), 1_000);`,
    { train: ["abc"] },
  );
  await until("the first epoch", () => existsSync(join(bench.folder, "mark")));
  await until("its note", () => readFileSync(bench.paths().state, "utf8").includes('"pipes":{"train":1}'));
  expect(bench.killAgent()).toBe(true);
  await ended(bench);
  expect(bench.server.lines()).toEqual(["second 3"]);
});

test("an agent that is killed within an epoch leaves no result: the task is lost", async () => {
  const bench = await piped(
    `const file = fs.openSync(data + "train_0"); fs.readSync(file, Buffer.alloc(10)); fs.writeFileSync(process.env.MARK, "");
     setTimeout(() => { let all = 10, n; do all += n = fs.readSync(file, Buffer.alloc(65_536)); while (n > 0);
       console.log("took it for the end at", all); }, 1_000);`,
    { train: ["a".repeat(3_000_000)] },
  );
  await until("a reader", () => existsSync(join(bench.folder, "mark")));
  expect(bench.killAgent()).toBe(true);
  await ended(bench);
  expect(bench.server.end()).toMatchObject({ how: "lost" });
});

test("data that cannot be brought fails the task with its reason", async () => {
  const bench = await setUpTask();
  const source = { file: join(bench.folder, "none") };
  const object = { path: "bad", sizeBytes: 2 ** 30, source, isGzip: false };
  bench.server.plan = {
    channels: [{ name: "train", mode: "Pipe", objects: [object], isWrapped: true }],
    modelArchives: [],
  };
  await bench.start(
    `setInterval(() => {}, 1_000); require("fs").readFile(process.env.SAGEMAKER_BASE_DIR + "/input/data/train_0", () => {});`,
    { hasPipes: true },
  );
  await ended(bench);
  expect(bench.server.end()).toMatchObject({
    how: "exited",
    failure: expect.stringContaining("ClientError: Data download failed: bad is too large for a RecordIO record"),
  });
});
