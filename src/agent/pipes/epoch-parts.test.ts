import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { RecordIoSplitter } from "../../formats/recordio.ts";
import type { PlannedChannel, PlannedObject } from "../../task/channel-plan.ts";
import { smallObjects } from "../small-objects.ts";
import { epochOrder, epochParts, type EpochSources } from "./epoch-parts.ts";

const objects = new Map<string, Buffer>();
const open = async (url: string): Promise<Readable> => Readable.from([objects.get(url) ?? Buffer.alloc(0)]);
/** One request for each object. */
const each: EpochSources = { open, small: () => ({ take: async () => undefined }) };
/** As many as may be with one request. */
const together: EpochSources = {
  open,
  small: (planned) => smallObjects(planned, connection, new AbortController().signal),
};
const connection = {
  objects: async (wanted: readonly { readonly source: { readonly url: string } }[]) =>
    wanted.map(({ source }) => objects.get(source.url) ?? Buffer.alloc(0)),
};

const remote = (path: string, content: Buffer, isGzip = false): PlannedObject => {
  objects.set(path, content);
  return { path, sizeBytes: content.length, source: { url: path }, isGzip };
};
const channel = (planned: readonly PlannedObject[], changes: Partial<PlannedChannel> = {}): PlannedChannel => ({
  name: "train",
  mode: "Pipe",
  objects: planned,
  ...changes,
});
const bytesOf = async (wanted: PlannedChannel, epoch = 0): Promise<Buffer> => {
  const [found, again] = await Promise.all(
    [each, together].map(async (sources) => {
      const parts = await Array.fromAsync(epochParts(wanted, epoch, sources));
      return Buffer.concat(parts.map((part) => ("file" in part ? readFileSync(part.file) : part)));
    }),
  );
  expect(again).toEqual(found);
  return found ?? Buffer.alloc(0);
};

test("an epoch is its objects one after the other, from files and from the server, unpacked", async () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-epoch-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "local"), "one");
  const local = { path: "local", sizeBytes: 3, source: { file: join(folder, "local") }, isGzip: false };
  const planned = [local, remote("two", Buffer.from("two")), remote("three", gzipSync("three"), true)];
  expect((await bytesOf(channel(planned))).toString()).toBe("onetwothree");
  expect((await bytesOf(channel([]))).toString()).toBe("");
});

test("wrapped objects are RecordIO records that a reader of the format takes apart again", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 50 }), fc.boolean()), { maxLength: 6 }),
      async (contents) => {
        const planned = contents.map(([content, isGzip], at) =>
          remote(`o${at}`, isGzip ? gzipSync(content) : Buffer.from(content), isGzip),
        );
        const splitter = new RecordIoSplitter("test");
        const records = splitter.push(await bytesOf(channel(planned, { isWrapped: true })));
        splitter.end();
        expect(records.map((record) => [...record])).toEqual(contents.map(([content]) => [...content]));
      },
    ),
  );
});

test("a file is handed on as a file, within the frame of its record; one that must be unpacked is read", async () => {
  const local = { path: "local", sizeBytes: 5, source: { file: "/nowhere/local" }, isGzip: false };
  const part = { path: "local", file: "/nowhere/local", sizeBytes: 5 };
  expect(await Array.fromAsync(epochParts(channel([local]), 0, each))).toEqual([part]);
  const framed = await Array.fromAsync(epochParts(channel([local], { isWrapped: true }), 0, each));
  expect(framed).toEqual([expect.objectContaining({ length: 8 }), part, expect.objectContaining({ length: 3 })]);
  const packed = epochParts(channel([{ ...local, isGzip: true }]), 0, each);
  await expect(packed.next()).rejects.toThrow("ENOENT");
});

test("a seed gives each epoch an order of its own, the same each time, and without one nothing moves", () => {
  const items = Array.from({ length: 30 }, (_, at) => at);
  expect(epochOrder(items, undefined, 3)).toEqual(items);
  const first = epochOrder(items, 7, 0);
  expect(epochOrder(items, 7, 0)).toEqual(first);
  expect(epochOrder(items, 7, 1)).not.toEqual(first);
  expect(epochOrder(items, 8, 0)).not.toEqual(first);
  expect([...first].sort((a, b) => a - b)).toEqual(items);
  expect(first).not.toEqual(items);
});

test("what is no gzip, and what is too large for a record, is told with its name", async () => {
  await expect(bytesOf(channel([remote("bad.gz", Buffer.from("no gzip"), true)]))).rejects.toThrow("bad.gz is no gzip");
  const huge = { ...remote("huge", Buffer.alloc(1)), sizeBytes: 2 ** 30 };
  await expect(bytesOf(channel([huge], { isWrapped: true }))).rejects.toThrow(
    "huge is too large for a RecordIO record",
  );
});

test("what belongs together is shuffled together, and values stand in the plan", async () => {
  const planned = Array.from({ length: 20 }, (_, at): PlannedObject[] => [
    remote(`p${at}`, Buffer.from(`<${at}:`)),
    { path: "class", sizeBytes: Buffer.byteLength(`ä${at}>`), source: { text: `ä${at}>` }, isGzip: false },
  ]).flat();
  const shuffled = (await bytesOf(channel(planned, { groupSize: 2, shuffleSeed: 3 }), 1)).toString();
  const pairs = [...shuffled.matchAll(/<(\d+):ä(\d+)>/g)].map(([, a, b]) => [a, b]);
  expect(pairs).toHaveLength(20);
  expect(pairs.every(([a, b]) => a === b)).toBe(true);
  expect(pairs.map(([a]) => Number(a))).not.toEqual(Array.from({ length: 20 }, (_, at) => at));
  const splitter = new RecordIoSplitter("test");
  const wrapped = splitter.push(await bytesOf(channel(planned.slice(0, 2), { groupSize: 2, isWrapped: true })));
  expect(wrapped.map((record) => Buffer.from(record).toString())).toEqual(["<0:", "ä0>"]);
});
