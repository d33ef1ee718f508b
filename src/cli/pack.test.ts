import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { inChunks } from "../formats/chunks.fake.ts";
import { decodeRecord } from "../formats/record-protobuf.ts";
import { readRecordIo } from "../formats/recordio.ts";
import { decodeExample } from "../formats/tf-example.ts";
import { readTfRecords } from "../formats/tfrecord.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { runSalvia } from "../server-process.fake.ts";
import { packFolder, type PackPlan } from "./pack-folder.ts";
import { progressLine } from "./progress-line.ts";

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-pack-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = emptyFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const animals = { "dog/2.txt": "wuff", "cat/1.txt": "miau", "cat/10.txt": "mrr", "dog/.hidden": "no" };

const plan = (changes: Partial<PackPlan>): PackPlan => ({
  folder: "",
  format: "recordio",
  shardCount: 1,
  outFolder: join(emptyFolder(), "out"),
  hasLabels: false,
  ...changes,
});

const packQuietly = (asked: PackPlan) => packFolder(asked, () => {}, new AbortController().signal);

async function textsOf(path: string, format: PackPlan["format"]): Promise<string[]> {
  const read = format === "recordio" ? readRecordIo : readTfRecords;
  const payloads = (await Array.fromAsync(read(path, inChunks(readFileSync(path), 64)))).flat();
  return payloads.map((each) => Buffer.from(each).toString());
}

test.each(["recordio", "tfrecord"] as const)(
  "files become bare records of %s shards in the order of their names",
  async (format) => {
    const asked = plan({ folder: folderWith(animals), format, shardCount: 2 });
    symlinkSync("/etc/hostname", join(asked.folder, "link"));
    const packed = await packQuietly(asked);
    expect(packed).toMatchObject({ fileCount: 3, totalBytes: 11, passedOver: 2, labels: [] });
    const ending = format === "recordio" ? "rec" : "tfrecord";
    expect(readdirSync(asked.outFolder)).toEqual([`part-00000-of-00002.${ending}`, `part-00001-of-00002.${ending}`]);
    expect(await textsOf(packed.shards[0]!, format)).toEqual(["miau", "wuff"]);
    expect(await textsOf(packed.shards[1]!, format)).toEqual(["mrr"]);
  },
);

test("with labels a RecordIO record carries the file, its label's number and its name", async () => {
  const asked = plan({ folder: folderWith(animals), hasLabels: true });
  const { shards, labels } = await packQuietly(asked);
  expect(labels).toEqual(["cat", "dog"]);
  expect(JSON.parse(readFileSync(join(asked.outFolder, "labels.json"), "utf8"))).toEqual({ cat: 0, dog: 1 });
  const [payloads] = await Array.fromAsync(readRecordIo("s", inChunks(readFileSync(shards[0]!), 1_000)));
  expect(payloads!.map((each, at) => decodeRecord(each, "s", at + 1)).at(-1)).toEqual({
    features: new Map([["values", { type: "bytes", values: [new Uint8Array(Buffer.from("wuff"))] }]]),
    label: new Map([["values", { type: "float32", values: Float32Array.of(1) }]]),
    uid: "dog/2.txt",
  });
});

test("with labels a TFRecord holds examples", async () => {
  const { shards } = await packQuietly(plan({ folder: folderWith(animals), format: "tfrecord", hasLabels: true }));
  const [payloads] = await Array.fromAsync(readTfRecords("s", inChunks(readFileSync(shards[0]!), 1_000)));
  const example = decodeExample(payloads![2]!, "s", 3);
  expect(example.get("label")).toEqual({ type: "int64", values: BigInt64Array.of(1n) });
  expect(example.get("label_name")).toEqual({ type: "bytes", values: [new Uint8Array(Buffer.from("dog"))] });
  expect(example.get("data")).toEqual({ type: "bytes", values: [new Uint8Array(Buffer.from("wuff"))] });
});

test("the same folder gives the same bytes", async () => {
  const folder = folderWith(animals);
  const bytes = async (): Promise<Buffer> => {
    const { shards } = await packQuietly(plan({ folder, format: "tfrecord", hasLabels: true }));
    return readFileSync(shards[0]!);
  };
  expect(await bytes()).toEqual(await bytes());
});

test("what cannot be packed is refused before anything is written", async () => {
  const folder = folderWith(animals);
  await expect(packQuietly(plan({ folder: folderWith({ "a.txt": "a" }), hasLabels: true }))).rejects.toThrow(
    "has no label",
  );
  await expect(packQuietly(plan({ folder: emptyFolder() }))).rejects.toThrow("holds no files");
  await expect(packQuietly(plan({ folder, shardCount: 4 }))).rejects.toThrow("4 shards for 3 files");
  await expect(packQuietly(plan({ folder, outFolder: join(folder, "out") }))).rejects.toThrow("lies within");
  await expect(packQuietly(plan({ folder, outFolder: folderWith({ old: "x" }) }))).rejects.toThrow(
    "holds files already",
  );
});

test("an interrupted run leaves no half shard", async () => {
  const asked = plan({ folder: folderWith(animals) });
  const abort = new AbortController();
  const running = packFolder(asked, () => abort.abort(), abort.signal);
  await expect(running).rejects.toThrow(/abort/i);
  expect(readdirSync(asked.outFolder)).toEqual([]);
});

test("progress is a bar on a terminal and a line a tenth elsewhere", async () => {
  const clock = new FakeClock();
  const written: string[] = [];
  const step = (doneFiles: number) => ({
    doneFiles,
    fileCount: 4,
    doneBytes: doneFiles * 500_000,
    totalBytes: 2_000_000,
  });
  const terminal = progressLine(clock, true, (text) => void written.push(text));
  await clock.advance(1_000);
  terminal.show(step(1));
  terminal.show(step(2));
  await clock.advance(1_000);
  terminal.show(step(3));
  terminal.close();
  expect(written).toEqual([
    "\r\u001b[2K███████░░░░░░░░░░░░░░░░░░░░░  25 %  1/4 files  500 kB/s  3 s left",
    "\r\u001b[2K█████████████████████░░░░░░░  75 %  3/4 files  750 kB/s  1 s left",
    "\n",
  ]);
  written.length = 0;
  const log = progressLine(clock, false, (text) => void written.push(text));
  for (let file = 0; file <= 4; file++) log.show(step(file));
  expect(written.map((line) => line.slice(30, 34))).toEqual(["25 %", "50 %", "75 %", "00 %"]);
});

test("the command packs, says what it wrote, and explains what it did not understand", async () => {
  const out = join(emptyFolder(), "shards");
  const packed = await runSalvia(["pack", folderWith(animals), "--format", "tfrecord", "--out", out, "--labels"]).ended;
  expect(packed.stderr).toContain("3/3 files");
  expect(packed.stdout).toBe(
    `3 files (11 B) in 1 shard:\n  ${join(out, "part-00000-of-00001.tfrecord")}\n2 labels: cat, dog\n1 hidden files or links passed over\n`,
  );
  expect(await runSalvia(["pack", "/no/such", "--format=recordio", "--out", out]).ended).toMatchObject({
    code: 2,
    stderr: "/no/such is not a folder\n",
  });
});
