import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import type { ChannelPlan, PlannedObject } from "../task/channel-plan.ts";
import { DiskQuota } from "./disk-quota.ts";
import { folderBytes } from "./disk-use.ts";
import { createProgress } from "./progress.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { connectToServer } from "./server-connection.ts";
import { stageIn } from "./stage-in.ts";
import { startTaskServer } from "./task-server.fake.ts";

async function setUp(diskBytes?: number) {
  const folder = mkdtempSync(join(tmpdir(), "salvia-stage-"));
  const server = await startTaskServer();
  const connection = connectToServer(server, "task");
  const stopping = new AbortController();
  onTestFinished(async () => {
    connection.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const root = join(folder, "root");
  const lent = join(folder, "lent");
  const common = { clock: systemClock, log: silentLog, signal: stopping.signal };
  const progress = createProgress(systemClock, () => undefined);
  const told: string[] = [];
  return {
    server,
    stopping,
    root,
    lent,
    file: (name: string, bytes: string | Buffer) => {
      writeFileSync(join(folder, name), bytes);
      return { file: join(folder, name) };
    },
    told,
    stage: (plan: ChannelPlan, canBind = false) =>
      stageIn(plan, {
        ...common,
        root,
        lent,
        connection,
        progress,
        quota: new DiskQuota(diskBytes),
        canBind,
        tell: (line) => told.push(line),
      }),
  };
}

const object = (path: string, source: PlannedObject["source"], sizeBytes: number, isGzip = false): PlannedObject => ({
  path,
  sizeBytes,
  source,
  isGzip,
});
const channel = (...objects: PlannedObject[]): ChannelPlan => ({
  channels: [{ name: "train", mode: "File", objects }],
  modelArchives: [],
});
const train = (root: string, path: string): string => readFileSync(join(root, "input/data/train", path), "utf8");

test("objects arrive from files and from the server, decompressed where the channel says so", async () => {
  const { server, root, file, stage } = await setUp();
  const zipped = gzipSync("unzipped");
  server.objects.set("1", Buffer.from("served"));
  server.objects.set("2", zipped);
  await stage(
    channel(
      object("a/one", file("one", "local"), 5),
      object("two", { url: "objects/1" }, 6),
      object("three", { url: `${server.url}/_salvia/tasks/task/objects/2` }, zipped.length, true),
      object("four", file("four.gz", zipped), zipped.length, true),
    ),
  );
  expect(["a/one", "two", "three", "four"].map((path) => train(root, path))).toEqual([
    "local",
    "served",
    "unzipped",
    "unzipped",
  ]);
});

test("a staged file is a copy: a program that changes it changes nobody else's bytes", async () => {
  const { root, file, stage } = await setUp();
  const source = file("one", "local");
  await stage(channel(object("one", source, 5)));
  writeFileSync(join(root, "input/data/train/one"), "changed");
  expect(readFileSync(source.file, "utf8")).toBe("local");
  expect(statSync(join(root, "input/data/train/one")).nlink).toBe(1);
});

test("what a killed agent left half done is made anew", async () => {
  const { root, file, stage } = await setUp();
  await stage(channel(object("old", file("old", "old"), 3)));
  await stage(channel(object("new", file("new", "new"), 3)));
  expect(existsSync(join(root, "input/data/train/old"))).toBe(false);
  expect(train(root, "new")).toBe("new");
});

test("a download goes on when the server comes back", async () => {
  const { server, root, stage } = await setUp();
  server.objects.set("1", Buffer.from("served"));
  server.isAway = true;
  const staging = stage(channel(object("x", { url: "objects/1" }, 6)));
  await systemClock.sleep(150);
  server.isAway = false;
  await staging;
  expect(train(root, "x")).toBe("served");
});

test.each([
  ["../x", 'cannot be a file: the path has the part ".."'],
  ["/x", "cannot be a file: the path is absolute"],
])("an object named %s ends with its reason", async (path, why) => {
  const { file, stage } = await setUp();
  await expect(stage(channel(object(path, file("x", ""), 0)))).rejects.toThrow(new RegExp(why));
});

test("an object that is no gzip, is missing, or lies with somebody else, ends with its reason", async () => {
  const { server, file, stage } = await setUp();
  server.objects.set("short", Buffer.from("12"));
  const fails = (bad: PlannedObject) => expect(stage(channel(bad))).rejects;
  await fails(object("x", file("x", "plain"), 5, true)).toThrow("Could not bring in x: incorrect header check");
  await fails(object("x", { file: "/nowhere/x" }, 5)).toThrow("Could not bring in x: ENOENT");
  await fails(object("x", { url: "objects/none" }, 5)).toThrow("Could not bring in x: the server answered 404");
  await fails(object("x", { url: "http://127.0.0.1:1/x" }, 5)).toThrow("an address that is not the server's");
});

test("a stop ends the download at once", async () => {
  const { server, stopping, stage } = await setUp();
  server.isAway = true;
  const staging = stage(channel(object("x", { url: "objects/1" }, 6)));
  await systemClock.sleep(30);
  stopping.abort();
  await expect(staging).rejects.toThrow("aborted");
});

test("progress is told at most once a second, with percent and rate", async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const progress = createProgress(clock, (message) => told.push(message));
  progress.start("train", 20_000_000);
  for (let step = 0; step < 20; step++) {
    await clock.advance(100);
    progress.add(1_000_000);
  }
  expect(told).toEqual([
    "Downloading input data: train 50 % (10.0 MB/s)",
    "Downloading input data: train 100 % (10.0 MB/s)",
  ]);
});

const smallOnes = (server: { objects: Map<string, Buffer> }, count: number): PlannedObject[] =>
  Array.from({ length: count }, (_, at) => {
    const content = Buffer.alloc(at % 40, String(at));
    server.objects.set(`o${at}`, content);
    return object(`folder/${at}`, { url: `objects/o${at}` }, content.length);
  });
const trained = (root: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => readFileSync(join(root, "input/data/train/folder", String(at)), "utf8"));

test("small objects of the server come many with one request, and each is whole", async () => {
  const { server, root, stage } = await setUp();
  const objects = smallOnes(server, 600);
  const large = Buffer.alloc(100_000, "l");
  const zipped = gzipSync("zipped");
  server.objects.set("large", large);
  server.objects.set("zipped", zipped);
  objects.splice(300, 0, object("large", { url: "objects/large" }, large.length));
  objects.push(object("zipped", { url: "objects/zipped" }, zipped.length, true));
  await stage(channel(...objects));
  expect(trained(root, 600)).toEqual(Array.from({ length: 600 }, (_, at) => server.objects.get(`o${at}`)?.toString()));
  expect([train(root, "large"), train(root, "zipped")]).toEqual([large.toString(), "zipped"]);
  expect(server.objectRequests).toBe(4);
});

test.each([404, 503])("where many at once are answered with %i, each comes alone", async (status) => {
  const { server, root, stage } = await setUp();
  server.batchStatus = status;
  await stage(channel(...smallOnes(server, 300)));
  expect(trained(root, 300)[299]).toBe(Buffer.alloc(299 % 40, "299").toString());
  // After the first refusal nobody asks again for many; a server that is away is asked once for each batch.
  expect(server.objectRequests).toBeLessThanOrEqual(303);
});

test("a small object that is gone is named, and one that is shorter than planned", async () => {
  const { server, stage } = await setUp();
  const objects = smallOnes(server, 20);
  server.objects.delete("o7");
  await expect(stage(channel(...objects))).rejects.toThrow("Could not bring in folder/7");
});

test("what unpacks to more than the volume ends the staging before the disk is full", async () => {
  const { server, root, file, stage } = await setUp(2 ** 20);
  const bomb = gzipSync(Buffer.alloc(2 ** 24));
  server.objects.set("bomb", bomb);
  const problem =
    "bomb.csv does not fit: the inputs take more than the volume of 1 MB. Please use a larger VolumeSizeInGB.";
  for (const source of [file("bomb.gz", bomb), { url: "objects/bomb" }]) {
    await expect(stage(channel(object("bomb.csv", source, bomb.length, true)))).rejects.toThrow(problem);
    expect(statSync(join(root, "input/data/train/bomb.csv")).size).toBeLessThanOrEqual(2 ** 20);
  }
});

test("plain files count as well, all channels together", async () => {
  const { file, stage } = await setUp(10);
  const source = file("six", "123456");
  await stage(channel(object("a", source, 6)));
  const two = channel(object("a", source, 6), object("b", source, 6));
  await expect(stage(two)).rejects.toThrow("does not fit: the inputs take more than the volume of 1 MB");
});

test("a model archive may not unpack to more than the volume", async () => {
  const { file, stage } = await setUp(2 ** 20);
  const folder = mkdtempSync(join(tmpdir(), "salvia-model-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "weights"), Buffer.alloc(2 ** 22));
  const archive = execFileSync("tar", ["-C", folder, "-cz", "weights"]);
  const plan = { channels: [], modelArchives: [object("model.tar.gz", file("model.tar.gz", archive), archive.length)] };
  await expect(stage(plan)).rejects.toThrow(
    "model.tar.gz cannot be unpacked: its files are larger than allowed: more than 1 MB",
  );
});

const megabyte = 1_048_576;

const fastFiles = (...objects: PlannedObject[]): ChannelPlan => ({
  channels: [{ name: "train", mode: "FastFile", objects }],
  modelArchives: [],
});

test("objects of a FastFile channel are links in a folder of their own, and nothing below the root is one", async () => {
  const { root, lent, file, stage, told } = await setUp(2 * megabyte);
  const large = file("large", Buffer.alloc(3 * megabyte, "x"));
  const small = file("small", "s");
  const zipped = file("zipped", gzipSync(Buffer.alloc(10)));
  const secret = file("secret", "t");
  chmodSync(secret.file, 0o600);
  const plan = fastFiles(
    object("deep/large", large, 3 * megabyte),
    object("small", small, 1),
    object("again/small", small, 1),
    object("zipped", zipped, 2 * megabyte, true),
    object("secret", secret, 1),
  );
  const binds = [{ from: join(lent, "train"), to: "input/data/train", isReadOnly: true }];
  expect(await stage(plan, true)).toEqual(binds);
  const inode = (path: string): number => statSync(path).ino;
  expect(inode(join(lent, "train/deep/large"))).toBe(inode(large.file));
  expect(inode(join(lent, "train/again/small"))).toBe(inode(small.file));
  // Copied: what must be unpacked, and what the program, a user of its own, could not read.
  expect(inode(join(lent, "train/secret"))).not.toBe(inode(secret.file));
  const modes = ["secret", "zipped", "deep"].map((name) =>
    (statSync(join(lent, "train", name)).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(["444", "444", "755"]);
  expect(readFileSync(join(lent, "train/zipped"), "utf8")).toBe("\0".repeat(10));
  expect(readdirSync(join(root, "input/data/train"))).toEqual([]);
  const zippedBytes = 2 * megabyte;
  expect(told).toEqual([
    `FastFile: 2 of the 5 files of the channel train were copied (${zippedBytes + 1} bytes): they cannot be read where they lie (small objects have no file of their own)`,
  ]);
  // Again, as an agent that was killed does.
  expect(await stage(plan, true)).toEqual(binds);
  expect(await folderBytes(join(lent, ".."), lent)).toBeGreaterThan(3 * megabyte);
});

const otherDisk = "/dev/shm";
const hasOtherDisk = existsSync(otherDisk) && statSync(otherDisk).dev !== statSync(tmpdir()).dev;

test.skipIf(!hasOtherDisk)(
  "from another file system large objects are bound and the others copied (needs /dev/shm)",
  async () => {
    const { lent, stage } = await setUp(2 * megabyte);
    const folder = mkdtempSync(join(otherDisk, "salvia-stage-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [large, small] = [{ file: join(folder, "large") }, { file: join(folder, "small") }];
    writeFileSync(large.file, Buffer.alloc(3 * megabyte, "x"));
    writeFileSync(small.file, "s");
    const plan = fastFiles(object("deep/large", large, 3 * megabyte), object("small", small, 1));
    expect(await stage(plan, true)).toEqual([
      { from: join(lent, "train"), to: "input/data/train", isReadOnly: true },
      { from: large.file, to: "input/data/train/deep/large", isReadOnly: true },
    ]);
    expect(statSync(join(lent, "train/deep/large")).size).toBe(0);
    expect(readFileSync(join(lent, "train/small"), "utf8")).toBe("s");
  },
);

test("the log of a FastFile channel counts the objects that the server alone has, and is silent where nothing is copied", async () => {
  const { server, lent, file, stage, told } = await setUp();
  const large = file("large", Buffer.alloc(megabyte, "x"));
  server.objects.set("1", Buffer.from("one"));
  server.objects.set("2", Buffer.from("two"));
  await stage(fastFiles(object("large", large, megabyte)), true);
  expect(told).toEqual([]);
  await stage(fastFiles(object("1", { url: "objects/1" }, 3), object("2", { url: "objects/2" }, 3)), true);
  expect(told).toEqual([expect.stringContaining("FastFile: all 2 files of the channel train were copied (6 bytes)")]);
  expect(readFileSync(join(lent, "train/2"), "utf8")).toBe("two");
});

test("an object of a FastFile channel that is gone is named", async () => {
  const { lent, stage } = await setUp();
  const plan = fastFiles(object("gone", { file: join(lent, "nowhere") }, 1));
  await expect(stage(plan, true)).rejects.toThrow("Could not bring in gone");
});

test("where nothing can be bound, FastFile copies and says so, and a folder is found by a link", async () => {
  const { root, file, stage, told } = await setUp();
  const mount = { from: mkdtempSync(join(tmpdir(), "salvia-mount-")), isReadOnly: true };
  onTestFinished(() => rmSync(mount.from, { recursive: true, force: true }));
  writeFileSync(join(mount.from, "shared"), "by others");
  const plan: ChannelPlan = {
    channels: [
      { name: "train", mode: "FastFile", objects: [object("one", file("one", "local"), 5)] },
      { name: "files", mode: "Mount", mount, objects: [] },
    ],
    modelArchives: [],
  };
  expect(await stage(plan)).toEqual([]);
  expect(train(root, "one")).toBe("local");
  expect(told).toEqual(["FastFile: the files of the channel train were copied: this machine has no namespaces"]);
  expect(readFileSync(join(root, "input/data/files/shared"), "utf8")).toBe("by others");
  expect(await stage(plan, true)).toContainEqual({ ...mount, to: "input/data/files" });
});

test("names that cannot stand together are refused, bound or not", async () => {
  const { file, stage } = await setUp();
  const objects = [object("a", file("a", "x"), megabyte), object("a/b", file("b", "x"), 1)];
  await expect(stage(fastFiles(...objects), true)).rejects.toThrow("both a file and the folder");
});
