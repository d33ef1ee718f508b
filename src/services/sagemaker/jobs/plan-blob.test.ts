import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { ResourceRow } from "../../../database/resources.ts";
import type { PlanLine } from "../../../task/plan-lines.ts";
import { InputDataError, type JobPlanLine } from "../channels/channel-planner.ts";
import { instanceLines } from "./instance-plan.ts";
import { readPlan, savePlan } from "./plan-blob.ts";

type Platform = Parameters<typeof savePlan>[0];

/** Keeps the last blob, and how many objects were pinned at a time. */
function world() {
  const pinned: number[] = [];
  let bytes = Buffer.alloc(0);
  const platform = {
    storage: {
      write: async (source: AsyncIterable<Uint8Array>) => {
        bytes = await buffer(source);
        return { id: "b1", sizeBytes: bytes.length };
      },
      read: async () => Readable.from([bytes.subarray(0, 1_000), bytes.subarray(1_000)]),
    },
    objects: {
      pin: async (_owner: string, files: readonly unknown[]) => void pinned.push(files.length),
      localPath: () => "/data/blob",
    },
    store: { write: async () => undefined },
  } as unknown as Platform;
  return { platform, pinned };
}

const row = { kind: "k", name: "job", status: JSON.stringify({ planBlob: "b1" }) } as ResourceRow;

async function* lines(count: number): AsyncGenerator<JobPlanLine> {
  yield { model: { path: "model.tar.gz", sizeBytes: 9, blobId: "model", key: "m" } };
  for (const name of ["train", "test"]) {
    yield { channel: { name, isGzip: false, isSharded: name === "train" } };
    for (let at = 0; at < count; at++)
      yield { piece: { path: `${at}`, sizeBytes: 1, blobId: `${name}-${at}`, key: "" } };
  }
}

const partOf = (platform: Platform, index: number): Promise<PlanLine[]> =>
  Array.fromAsync(
    instanceLines(readPlan(platform, row), {
      objects: platform.objects,
      taskKey: "t",
      index,
      count: 3,
      channelOf: () => ({ mode: "File" }),
    }),
  );

test("a plan is pinned and written a page at a time, and each instance is given its part of every channel", async () => {
  const { platform, pinned } = world();
  expect(await savePlan(platform, "uid", lines(700))).toBe("b1");
  expect(pinned).toEqual([499, 499, 403]);
  const parts = await Promise.all([0, 1, 2].map((index) => partOf(platform, index)));
  const shards = parts.map((part) => {
    const names = part.map((line) => ("channel" in line ? line.channel.name : "object" in line ? "object" : "model"));
    const second = names.indexOf("test");
    expect(names.slice(0, 2)).toEqual(["model", "train"]);
    expect(names.slice(second + 1)).toHaveLength(700);
    return part.slice(2, second).map((line) => ("object" in line ? Number(line.object.path) : -1));
  });
  expect(shards.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 700 }, (_, at) => at));
  expect(shards[1]?.slice(0, 3)).toEqual([1, 4, 7]);
});

test("what goes wrong while the objects are found is told as it is, and a job without a plan is an error", async () => {
  const { platform } = world();
  const broken = async function* (): AsyncGenerator<JobPlanLine> {
    yield* lines(600);
    throw new InputDataError("nothing there");
  };
  await expect(savePlan(platform, "uid", broken())).rejects.toThrow("nothing there");
  await expect(Array.fromAsync(readPlan(platform, { ...row, status: "{}" }))).rejects.toThrow("runs without a plan");
});
