// Tells the format of a data file by its first bytes: names and content types lie.
import { decodeRecord } from "./record-protobuf.ts";
import { FormatError } from "./format-error.ts";
import { startsLikeParquet } from "./parquet.ts";
import { RecordIoSplitter, startsLikeRecordIo } from "./recordio.ts";
import { decodeExample } from "./tf-example.ts";
import { startsLikeTfRecord, TfRecordSplitter } from "./tfrecord.ts";

export type DetectedFormat =
  | { readonly name: "parquet" }
  | { readonly name: "recordio"; readonly isRecordProtobuf: boolean }
  | { readonly name: "tfrecord"; readonly isExample: boolean }
  | { readonly name: "json-lines" }
  | { readonly name: "libsvm" }
  | { readonly name: "csv"; readonly delimiter: string };

/** How much of the start `detectFormat` likes to see; a first record longer than this counts as bare bytes. */
export const detectionBytes = 1_048_576;

export const startsLikeGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** What people give to a data tool by mistake: a name helps more than "unknown". */
const otherFiles: readonly (readonly [name: string, start: readonly number[]])[] = [
  ["a PNG image", [0x89, 0x50, 0x4e, 0x47]],
  ["a JPEG image", [0xff, 0xd8, 0xff]],
  ["a ZIP archive (also .npz, .docx, .pt)", [0x50, 0x4b, 0x03, 0x04]],
  ["a NumPy array (.npy)", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ["an HDF5 file (.h5)", [0x89, 0x48, 0x44, 0x46]],
  ["a Zstandard file", [0x28, 0xb5, 0x2f, 0xfd]],
  ["a bzip2 file", [0x42, 0x5a, 0x68]],
  ["an xz file", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["an Avro file", [0x4f, 0x62, 0x6a, 0x01]],
  ["an ORC file", [0x4f, 0x52, 0x43]],
  ["a Python pickle", [0x80, 0x04, 0x95]],
  ["a PDF document", [0x25, 0x50, 0x44, 0x46]],
];

function firstOf(splitter: { push(chunk: Uint8Array): Uint8Array[] }, start: Uint8Array): Uint8Array | undefined {
  try {
    return splitter.push(start)[0];
  } catch (error) {
    // Damage comes later, with the record's number: only the first record decides here.
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function holds(first: Uint8Array | undefined, decode: (bytes: Uint8Array) => number): boolean {
  if (first === undefined) return false;
  try {
    return decode(first) > 0;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** The bytes up to where the first record ends, at most: the rest may be cut or damaged. */
function recordIo(start: Uint8Array): DetectedFormat {
  const length = start.length >= 8 ? Buffer.from(start.subarray(4, 8)).readUInt32LE() & 0x1fff_ffff : 0;
  const first = firstOf(new RecordIoSplitter("start"), start.subarray(0, 8 + Math.ceil(length / 4) * 4));
  const isRecordProtobuf = holds(first, (bytes) => {
    const { features, label } = decodeRecord(bytes, "start", 1);
    return features.size + label.size;
  });
  return { name: "recordio", isRecordProtobuf };
}

function tfRecord(start: Uint8Array): DetectedFormat {
  const length = Number(Buffer.from(start.subarray(0, 8)).readBigUInt64LE());
  const first = firstOf(new TfRecordSplitter("start"), start.subarray(0, 16 + length));
  return { name: "tfrecord", isExample: holds(first, (bytes) => decodeExample(bytes, "start", 1).size) };
}

/** The text of the start, or undefined where it is none; a character cut at the end is no reason. */
function textOf(start: Uint8Array): string | undefined {
  if (start.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(start, { stream: true });
  } catch {
    return undefined;
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

const number = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const libsvmLine = new RegExp(
  String.raw`^${number}(?::${number})?(?:[ \t]+qid:\d+)?(?:[ \t]+\d+:${number})*[ \t]*(?:#.*)?$`,
);

const delimiters = [",", "\t", ";", "|"] as const;

/** The delimiter that splits every line alike, into the most columns; a comma where none does. */
function delimiterOf(lines: readonly string[]): string {
  let best: { delimiter: string; columns: number } = { delimiter: ",", columns: 1 };
  for (const delimiter of delimiters) {
    const widths = new Set(lines.map((line) => line.replace(/"[^"]*"/g, "").split(delimiter).length));
    const [columns] = widths;
    if (widths.size === 1 && columns !== undefined && columns > best.columns) best = { delimiter, columns };
  }
  return best.delimiter;
}

function textFormat(source: string, text: string): DetectedFormat {
  const lines = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .slice(0, 20);
  const first = lines[0]?.replace(/^\uFEFF/, "");
  if (first === undefined) throw new FormatError(source, undefined, "it holds nothing but empty lines");
  if (/^\s*[[{]/.test(first)) {
    if (isJson(first)) return { name: "json-lines" };
    if (lines.length > 1 && isJson(text)) {
      throw new FormatError(
        source,
        undefined,
        "one JSON document over several lines; JSON lines hold one value on each line",
      );
    }
    // A long first line may go on behind what was looked at.
    if (lines.length === 1 || !/^\s*[[{]\s*$/.test(first)) return { name: "json-lines" };
    throw new FormatError(source, undefined, "JSON over several lines; JSON lines hold one value on each line");
  }
  // Whole lines only: the last one may be cut.
  const whole = lines.length > 1 ? lines.slice(0, -1) : lines;
  const isLibsvm = whole.every((line) => libsvmLine.test(line.trim()) || line.startsWith("#"));
  if (isLibsvm && whole.some((line) => line.includes(":"))) return { name: "libsvm" };
  return { name: "csv", delimiter: delimiterOf(whole) };
}

/**
 * Tells the format by the first `detectionBytes` of the (unpacked) file, or all of it. Throws FormatError saying what it is
 * instead, where that is known.
 */
export function detectFormat(source: string, start: Uint8Array): DetectedFormat {
  if (start.length === 0) throw new FormatError(source, undefined, "the file is empty");
  if (startsLikeParquet(start)) return { name: "parquet" };
  if (startsLikeRecordIo(start)) return recordIo(start);
  if (startsLikeTfRecord(start)) return tfRecord(start);
  const other = otherFiles.find(([, magic]) => magic.every((byte, at) => start[at] === byte));
  if (other) throw new FormatError(source, undefined, `this is ${other[0]}, not a data file of records`);
  const text = textOf(start);
  if (text !== undefined) return textFormat(source, text);
  const bytes = Buffer.from(start.subarray(0, 8))
    .toString("hex")
    .replace(/..(?=.)/g, "$& ");
  throw new FormatError(
    source,
    undefined,
    `unknown format: it begins with ${bytes}. Known are RecordIO, TFRecord, Parquet, CSV, JSON lines and libsvm, packed by gzip or not`,
  );
}
