// The work of `salvia pack`: every file of a folder becomes one record of RecordIO or TFRecord shards.
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { encodeRecord } from "../formats/record-protobuf.ts";
import { encodeRecordIo } from "../formats/recordio.ts";
import { encodeExample } from "../formats/tf-example.ts";
import { encodeTfRecord } from "../formats/tfrecord.ts";

export type PackFormat = "recordio" | "tfrecord";

export interface PackPlan {
  readonly folder: string;
  readonly format: PackFormat;
  readonly shardCount: number;
  /** Absent or empty: shards of an earlier run would mix with these. */
  readonly outFolder: string;
  /** The first folder on a file's way is its label; records are then protobuf instead of the file's bare bytes. */
  readonly hasLabels: boolean;
}

export interface PackProgress {
  readonly fileCount: number;
  readonly totalBytes: number;
  readonly doneFiles: number;
  readonly doneBytes: number;
}

export interface Packed {
  /** Paths, in order. */
  readonly shards: readonly string[];
  readonly fileCount: number;
  readonly totalBytes: number;
  /** Hidden files, links and what else is no plain file. */
  readonly passedOver: number;
  /** In the order of their numbers; empty without labels. */
  readonly labels: readonly string[];
}

/** What the user can put right: told without a stack. */
export class PackProblem extends Error {}

interface SourceFile {
  /** With slashes, relative to the folder. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** RecordIO's own limit; TFRecord has none, but a record must fit into memory. */
const largestFileBytes = 2 ** 29 - 1 - 4_096;

/** By code units, which is the order of S3 keys for all but rare characters: the same on every machine. */
const byName = (a: SourceFile, b: SourceFile): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

async function findFiles(folder: string): Promise<{ readonly files: SourceFile[]; readonly passedOver: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: SourceFile[] = [];
  let passedOver = 0;
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (!entry.isFile() || `/${name}`.includes("/.")) {
      passedOver++;
      continue;
    }
    files.push({ name, path, bytes: (await stat(path)).size });
  }
  const tooLarge = files.find(({ bytes }) => bytes > largestFileBytes);
  if (tooLarge)
    throw new PackProblem(`${tooLarge.path} has ${tooLarge.bytes} bytes; a record holds ${largestFileBytes}`);
  return { files: files.toSorted(byName), passedOver };
}

function labelOf({ name, path }: SourceFile): string {
  const slash = name.indexOf("/");
  if (slash < 0) {
    throw new PackProblem(`${path} lies in no sub-folder, so it has no label. Move it, or pack without --labels.`);
  }
  return name.slice(0, slash);
}

type Encode = (file: SourceFile, bytes: Uint8Array) => Uint8Array;

function payloads({ format, hasLabels }: PackPlan, labels: readonly string[]): Encode {
  if (!hasLabels) return (_, bytes) => bytes;
  const numbers = new Map(labels.map((label, number) => [label, number]));
  const numberOf = (file: SourceFile): number => numbers.get(labelOf(file)) ?? -1;
  if (format === "recordio") {
    return (file, bytes) =>
      encodeRecord({
        features: new Map([["values", { type: "bytes", values: [bytes] }]]),
        label: new Map([["values", { type: "float32", values: Float32Array.of(numberOf(file)) }]]),
        uid: file.name,
      });
  }
  const text = new TextEncoder();
  return (file, bytes) =>
    encodeExample(
      new Map([
        ["data", { type: "bytes", values: [bytes] }],
        ["label", { type: "int64", values: BigInt64Array.of(BigInt(numberOf(file))) }],
        ["label_name", { type: "bytes", values: [text.encode(labelOf(file))] }],
        ["path", { type: "bytes", values: [text.encode(file.name)] }],
      ]),
    );
}

const endings: Readonly<Record<PackFormat, string>> = { recordio: "rec", tfrecord: "tfrecord" };

const shardName = (format: PackFormat, at: number, count: number): string =>
  `part-${String(at).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.${endings[format]}`;

async function prepareOut({ folder, outFolder }: PackPlan): Promise<void> {
  if (`${resolve(outFolder)}${sep}`.startsWith(`${resolve(folder)}${sep}`)) {
    throw new PackProblem(`--out ${outFolder} lies within ${folder}: the next run would pack the shards too.`);
  }
  await mkdir(outFolder, { recursive: true });
  if ((await readdir(outFolder)).length > 0) {
    throw new PackProblem(`${outFolder} holds files already, which would mix with the shards. Name a new folder.`);
  }
}

/** Writes beside the final name first: whoever lists the folder sees whole shards only. */
async function writeShard(
  path: string,
  files: readonly SourceFile[],
  encode: (file: SourceFile, bytes: Uint8Array) => Uint8Array,
  onFile: (bytes: number) => void,
): Promise<void> {
  const partial = `${path}.partial`;
  try {
    const shard = await open(partial, "w");
    try {
      for (const file of files) {
        const bytes = await readFile(file.path);
        await shard.appendFile(encode(file, bytes));
        onFile(bytes.length);
      }
      await shard.sync();
    } finally {
      await shard.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/**
 * Packs in the order of the files' names: file k becomes a record of shard k modulo the number of shards, so that classes that lie
 * one after the other mix. The same folder gives the same bytes. Throws PackProblem, I/O errors, and the signal's reason.
 */
export async function packFolder(
  plan: PackPlan,
  onProgress: (progress: PackProgress) => void,
  signal: AbortSignal,
): Promise<Packed> {
  const { files, passedOver } = await findFiles(plan.folder);
  if (files.length === 0) throw new PackProblem(`${plan.folder} holds no files to pack.`);
  if (plan.shardCount > files.length) {
    throw new PackProblem(`${plan.shardCount} shards for ${files.length} files: at least one would be empty.`);
  }
  const labels = plan.hasLabels ? [...new Set(files.map(labelOf))].toSorted() : [];
  await prepareOut(plan);
  const payload = payloads(plan, labels);
  const frame = plan.format === "recordio" ? (bytes: Uint8Array) => encodeRecordIo(bytes) : encodeTfRecord;
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let [doneFiles, doneBytes] = [0, 0];
  const onFile = (bytes: number): void => {
    signal.throwIfAborted();
    doneFiles++;
    doneBytes += bytes;
    onProgress({ fileCount: files.length, totalBytes, doneFiles, doneBytes });
  };
  const shards: string[] = [];
  for (let at = 0; at < plan.shardCount; at++) {
    const path = join(plan.outFolder, shardName(plan.format, at, plan.shardCount));
    const own: SourceFile[] = [];
    for (let index = at; index < files.length; index += plan.shardCount) own.push(files[index]!);
    await writeShard(path, own, (file, bytes) => frame(payload(file, bytes)), onFile);
    shards.push(path);
  }
  if (labels.length > 0) await writeLabels(plan.outFolder, labels);
  return { shards, fileCount: files.length, totalBytes: doneBytes, passedOver, labels };
}

/** Label names by number: what a model's answers mean. */
async function writeLabels(folder: string, labels: readonly string[]): Promise<void> {
  const text = `${JSON.stringify(Object.fromEntries(labels.map((label, number) => [label, number])), undefined, 2)}\n`;
  await writeFile(join(folder, "labels.json"), text);
}
