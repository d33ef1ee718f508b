// The archives against the machine's own tar, and against people who wish us ill.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { listForPacking, packEntries } from "./pack-folder.ts";
import { readTarHeader, TarError, writeTarHeader, type TarHeader } from "./tar-header.ts";
import { unpackTarGz } from "./unpack-archive.ts";

const aFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-tar-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const put = (folder: string, path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const signal = new AbortController().signal;
const unpack = (bytes: Buffer, folder: string, limits = {}) =>
  unpackTarGz(Readable.from([bytes]), folder, { name: "model.tar.gz", signal, ...limits });
const file = (name: string, more: Partial<TarHeader> = {}): TarHeader => ({
  name,
  sizeBytes: 0,
  mode: 0o644,
  modifiedAtSeconds: 0,
  type: "0",
  linkName: "",
  ...more,
});
const archive = (...headers: TarHeader[]): Buffer =>
  gzipSync(Buffer.concat([...headers.map(writeTarHeader), Buffer.alloc(1024)]));
const contentOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => lstatSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
const pack = async (folder: string, root = folder) => {
  const { entries, leftOut } = await listForPacking(folder, root);
  return { member: await buffer(packEntries(entries)), leftOut, names: entries.map(({ name }) => name) };
};
const endOfArchive = gzipSync(Buffer.alloc(1024));

test("a packed folder, ended by the server, is what the machine's tar reads", async () => {
  const [from, to] = [aFolder(), aFolder()];
  const long = `${"d".repeat(90)}/${"é".repeat(100)}/f`;
  put(from, "weights", "w".repeat(1_000_000));
  put(from, long, "long");
  put(from, "empty", "");
  mkdirSync(join(from, "hollow"));
  symlinkSync("weights", join(from, "latest"));
  const { member, names } = await pack(from);
  expect(names).toEqual([...names].sort());
  const path = join(to, "model.tar.gz");
  writeFileSync(path, Buffer.concat([member, endOfArchive]));
  execFileSync("tar", ["xzf", path, "-C", to]);
  rmSync(path);
  expect(contentOf(to)).toEqual(contentOf(from));
  expect(readlinkSync(join(to, "latest"))).toBe("weights");
  expect(existsSync(join(to, "hollow"))).toBe(true);
});

test("parts of several instances join into one archive", async () => {
  const [one, two, to] = [aFolder(), aFolder(), aFolder()];
  put(one, "a", "1");
  put(two, "b", "2");
  await unpack(Buffer.concat([(await pack(one)).member, (await pack(two)).member, endOfArchive]), to);
  expect(contentOf(to)).toEqual({ a: "1", b: "2" });
});

test.each(["gnu", "pax", "ustar"])("an archive of the machine's tar (%s) unpacks to the same files", async (format) => {
  const [from, to] = [aFolder(), aFolder()];
  put(from, `${"d".repeat(99)}/${"f".repeat(50)}`, "long");
  put(from, "code/inference.py", "x".repeat(513));
  symlinkSync("code/inference.py", join(from, "link"));
  const bytes = execFileSync("tar", [`--format=${format}`, "-czf", "-", "-C", from, "."]);
  await unpack(bytes, to);
  expect(contentOf(to)).toEqual(contentOf(from));
});

test.each(["/", "./", "."])(
  "the folder itself may stand in an archive as %s, as the SageMaker SDK packs it",
  async (name) => {
    const folder = aFolder();
    await unpack(archive(file(name, { type: "5" }), file("1/saved_model.pb")), folder);
    expect(Object.keys(contentOf(folder))).toContain("1/saved_model.pb");
  },
);

test.each([
  ["../evil", file("../evil"), '".." '],
  ["a/../../evil", file("a/../../evil"), '".."'],
  ["/evil", file("/evil"), "absolute path"],
  ["an absolute link", file("l", { type: "2", linkName: "/etc/passwd" }), "leaves the folder"],
  ["a climbing link", file("d/l", { type: "2", linkName: "../../evil" }), "leaves the folder"],
  ["a hard link", file("l", { type: "1", linkName: "/etc/passwd" }), "hard link"],
  ["a device", file("null", { type: "3" }), "a device"],
  ["a FIFO", file("pipe", { type: "6" }), "a FIFO"],
])("an archive with %s is refused", async (_what, header, why) => {
  const folder = aFolder();
  await expect(unpack(archive(header), join(folder))).rejects.toThrow(why.trim());
  await expect(unpack(archive(header), join(folder))).rejects.toThrow(/The archive model\.tar\.gz cannot be unpacked/);
  expect(existsSync(join(dirname(folder), "evil"))).toBe(false);
});

test("an archive cannot write through a link that it made itself", async () => {
  const folder = aFolder();
  mkdirSync(join(folder, "real"));
  const through = archive(file("link", { type: "2", linkName: "real" }), file("link/x"));
  await expect(unpack(through, folder)).rejects.toThrow("is needed as a folder, and is none");
  expect(readdirSync(join(folder, "real"))).toEqual([]);
});

test("an archive that is too large, too long, cut short or no archive is refused with its reason", async () => {
  const folder = aFolder();
  const big = writeTarHeader(file("big", { sizeBytes: 2_000 }));
  const whole = Buffer.concat([big, Buffer.alloc(2_048), Buffer.alloc(1_024)]);
  await expect(unpack(gzipSync(whole), folder, { mostBytes: 1_999 })).rejects.toThrow("larger than allowed");
  await expect(unpack(archive(file("a"), file("b")), folder, { mostEntries: 1 })).rejects.toThrow("too many entries");
  await expect(unpack(gzipSync(whole.subarray(0, 1_000)), folder)).rejects.toThrow("the archive ends in the middle");
  await expect(unpack(gzipSync(whole).subarray(0, 20), folder)).rejects.toThrow("not a tar.gz archive");
  await expect(unpack(Buffer.from("hello, no gzip"), folder)).rejects.toThrow("not a tar.gz archive");
  await expect(unpack(gzipSync(Buffer.alloc(600, "x")), folder)).rejects.toThrow("not a tar.gz archive");
});

test("links that leave the root are left out, links to other files of the root become those files", async () => {
  const root = aFolder();
  const model = join(root, "model");
  put(root, "model/own", "own");
  put(root, "output/data/other", "other");
  symlinkSync("/etc/passwd", join(model, "a"));
  symlinkSync("../output/data/other", join(model, "b"));
  symlinkSync("/opt/ml/output/data/other", join(model, "c"));
  symlinkSync("../..", join(model, "d"));
  const { leftOut, member } = await pack(model, root);
  expect(leftOut).toEqual(["a", "d"]);
  const to = aFolder();
  await unpack(Buffer.concat([member, endOfArchive]), to);
  expect(contentOf(to)).toEqual({ own: "own", b: "other", c: "other" });
});

test("a folder that is itself a link out of the root is packed as nothing", async () => {
  const root = aFolder();
  symlinkSync("/etc", join(root, "model"));
  expect((await pack(join(root, "model"), root)).names).toEqual([]);
});

test("headers are read as they were written, names and sizes of any length", () => {
  const header = fc.record({
    name: fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
      .filter((name) => !name.includes("\0") && Buffer.byteLength(name) <= 100),
    sizeBytes: fc.integer({ min: 0, max: 0o77777777777 }),
    mode: fc.integer({ min: 0, max: 0o777 }),
    modifiedAtSeconds: fc.integer({ min: 0, max: 2 ** 33 - 1 }),
    type: fc.constantFrom("0", "2", "5"),
    linkName: fc.constant(""),
  });
  fc.assert(
    fc.property(header, (given) => {
      expect(readTarHeader(writeTarHeader(given))).toEqual(given);
    }),
  );
});

test("whatever bytes come, reading a header ends with a header or a TarError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (bytes) => {
      try {
        readTarHeader(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(TarError);
      }
    }),
  );
});

test("an empty folder is a member without a byte of tar", async () => {
  expect(gunzipSync((await pack(aFolder())).member)).toHaveLength(0);
});
