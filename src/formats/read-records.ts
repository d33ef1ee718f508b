// Records of any format as named cells: what `salvia inspect` counts and shows.
import type { Cell } from "./column-summary.ts";
import { readCsv } from "./csv.ts";
import type { DetectedFormat } from "./detect-format.ts";
import { readJsonLines } from "./json-lines.ts";
import { readLibsvm } from "./libsvm.ts";
import { decodeRecord, type Tensor } from "./record-protobuf.ts";
import { readRecordIo } from "./recordio.ts";
import { decodeExample, type Feature } from "./tf-example.ts";
import { readTfRecords } from "./tfrecord.ts";

/** By column, in the order of the file. */
export type NamedCells = ReadonlyMap<string, Cell>;

type Chunks = AsyncIterable<Uint8Array>;

export interface ReadOptions {
  /** Whether a CSV's first row names the columns; undefined: judged by the first two rows. */
  readonly hasHeader?: boolean | undefined;
}

const isNumberLike = (value: unknown): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

const listOf = (numbers: ArrayLike<number | bigint>): Cell => {
  const [only] = [numbers[0]];
  return numbers.length === 1 && only !== undefined ? only : { numbers, shape: [numbers.length], isSparse: false };
};

function tensorCell(tensor: Tensor): Cell {
  if (tensor.type === "bytes") return tensor.values.length === 1 ? tensor.values[0] : { other: tensor.values };
  const { keys, shape, values } = tensor;
  const isSparse = keys !== undefined || (values.length === 0 && shape !== undefined);
  if (!isSparse && shape === undefined) return listOf(values);
  return { numbers: values, shape: shape ?? [values.length], isSparse };
}

function recordCells(bytes: Uint8Array, source: string, recordNumber: number): NamedCells {
  const { features, label, uid, metadata } = decodeRecord(bytes, source, recordNumber);
  const cells = new Map<string, Cell>();
  for (const [name, tensor] of label) cells.set(`label.${name}`, tensorCell(tensor));
  for (const [name, tensor] of features) cells.set(`features.${name}`, tensorCell(tensor));
  if (uid !== undefined) cells.set("uid", uid);
  if (metadata !== undefined) cells.set("metadata", metadata);
  return cells;
}

const printable = /^[\t\n\r\x20-\x7e\u00a0-\uffff]*$/;

/** Short byte strings that are text are shown as such: labels and file names are kept in bytes. */
function bytesCell(bytes: Uint8Array | undefined): Cell {
  if (!bytes || bytes.length > 256) return bytes;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return printable.test(text) ? text : bytes;
  } catch {
    return bytes;
  }
}

function featureCell(feature: Feature): Cell {
  if (feature.type !== "bytes") return listOf(feature.values);
  return feature.values.length === 1 ? bytesCell(feature.values[0]) : { other: feature.values.map(bytesCell) };
}

async function* framed(
  payloads: AsyncIterable<Uint8Array[]>,
  cellsOf: (bytes: Uint8Array, recordNumber: number) => NamedCells,
): AsyncGenerator<NamedCells> {
  let recordNumber = 0;
  for await (const batch of payloads) for (const bytes of batch) yield cellsOf(bytes, ++recordNumber);
}

const bare = (bytes: Uint8Array): NamedCells => new Map([["bytes", bytesCell(bytes)]]);

/** Any value of JSON or Parquet. */
export function valueCell(value: unknown): Cell {
  if (value === null || value === undefined) return undefined;
  if (isNumberLike(value) || typeof value === "boolean" || typeof value === "string") return value;
  if (value instanceof Uint8Array) return bytesCell(value);
  if (value instanceof Date) return value;
  if (Array.isArray(value) && value.length > 0 && value.every(isNumberLike)) {
    return { numbers: value, shape: [value.length], isSparse: false };
  }
  return { other: value };
}

export const objectCells = (value: object): NamedCells =>
  new Map(Object.entries(value).map(([name, each]) => [name, valueCell(each)]));

async function* jsonRecords(source: string, chunks: Chunks): AsyncGenerator<NamedCells> {
  for await (const { value } of readJsonLines(source, chunks)) {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    yield objectCells(isObject ? value : { value });
  }
}

async function* libsvmRecords(source: string, chunks: Chunks): AsyncGenerator<NamedCells> {
  for await (const { label, weight, queryId, indices, values } of readLibsvm(source, chunks)) {
    const width = indices.reduce((most, index) => Math.max(most, index + 1), 0);
    yield new Map<string, Cell>([
      ["label", label],
      ["weight", weight],
      ["qid", queryId],
      ["features", { numbers: values, shape: [width], isSparse: true }],
    ]);
  }
}

const decimal = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const missing = /^\s*(?:|nan|na|n\/a|null|none|\?)\s*$/i;

function fieldCell(text: string): Cell {
  if (decimal.test(text)) return Number(text);
  return missing.test(text) ? undefined : text;
}

/** True where the first row can only be names: no numbers in it, no name twice, and numbers or longer texts below. */
export function looksLikeHeader(first: readonly string[], second: readonly string[] | undefined): boolean {
  if (first.some((name) => decimal.test(name) || missing.test(name)) || new Set(first).size < first.length)
    return false;
  if (!second) return false;
  return (
    second.some((text) => decimal.test(text)) ||
    first.every((name) => /^[\p{L}_][\p{L}\p{N}_ .:()/-]{0,39}$/u.test(name))
  );
}

async function* csvRecords(
  source: string,
  chunks: Chunks,
  delimiter: string,
  { hasHeader }: ReadOptions,
): AsyncGenerator<NamedCells> {
  const rows = readCsv(source, chunks, { delimiter });
  const first = await rows.next();
  if (first.done) return;
  const second = await rows.next();
  const firstFields = first.value.fields;
  const isNamed = hasHeader ?? looksLikeHeader(firstFields, second.done ? undefined : second.value.fields);
  const names = isNamed ? uniqueNames(firstFields) : [];
  const cells = (fields: readonly string[]): NamedCells =>
    new Map(fields.map((text, column) => [names[column] ?? `column ${column + 1}`, fieldCell(text)]));
  if (!isNamed) yield cells(firstFields);
  if (second.done) return;
  yield cells(second.value.fields);
  for await (const { fields } of rows) yield cells(fields);
}

/** Columns without a name, or with one that came before, get their number. */
function uniqueNames(fields: readonly string[]): string[] {
  const taken = new Set<string>();
  return fields.map((field, column) => {
    const name = field === "" || taken.has(field) ? `${field || "column"} ${column + 1}` : field;
    taken.add(name);
    return name;
  });
}

/** The records of a stream in a format that can be streamed; Parquet needs random access (parquet.ts). Throws FormatError. */
export function readRecords(
  format: Exclude<DetectedFormat, { readonly name: "parquet" }>,
  source: string,
  chunks: Chunks,
  options: ReadOptions = {},
): AsyncGenerator<NamedCells> {
  switch (format.name) {
    case "recordio": {
      const { isRecordProtobuf } = format;
      return framed(readRecordIo(source, chunks), (bytes, at) =>
        isRecordProtobuf ? recordCells(bytes, source, at) : bare(bytes),
      );
    }
    case "tfrecord": {
      const { isExample } = format;
      return framed(readTfRecords(source, chunks), (bytes, at) =>
        isExample
          ? new Map([...decodeExample(bytes, source, at)].map(([name, feature]) => [name, featureCell(feature)]))
          : bare(bytes),
      );
    }
    case "json-lines":
      return jsonRecords(source, chunks);
    case "libsvm":
      return libsvmRecords(source, chunks);
    case "csv":
      return csvRecords(source, chunks, format.delimiter, options);
  }
}
