// One pass over a data file of any format: how many records, what its columns hold, and the first few records.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ColumnSummary } from "./column-summary.ts";
import { type DetectedFormat, detectFormat, detectionBytes, startsLikeGzip } from "./detect-format.ts";
import { FormatError } from "./format-error.ts";
import { openParquet, type RandomAccess } from "./parquet.ts";
import { type NamedCells, objectCells, readRecords } from "./read-records.ts";

export interface DataFile extends RandomAccess {
  /** For messages. */
  readonly source: string;
  /** From its first byte; may be called once. */
  stream(): AsyncIterable<Uint8Array>;
}

export interface InspectOptions {
  /** How many records are kept to be shown. */
  readonly firstRecords: number;
  /** Stop after so many records. */
  readonly recordLimit: number;
  /** Whether a CSV's first row names the columns; undefined: judged. */
  readonly hasHeader?: boolean | undefined;
}

export interface DataSummary {
  readonly format: DetectedFormat;
  readonly isGzip: boolean;
  readonly recordCount: number;
  /** False where the limit ended the pass. */
  readonly isWhole: boolean;
  readonly columns: readonly ColumnSummary[];
  /** Columns beyond those that are counted. */
  readonly uncountedColumns: number;
  readonly firstRecords: readonly NamedCells[];
  /** What the file says of itself beside its records: Parquet's column types. */
  readonly notes: readonly string[];
}

const mostColumns = 2_000;

/** Parquet is read from its end: a packed one is unpacked into memory up to here. */
const largestUnpackedParquet = 256 * 2 ** 20;

async function* unpacked(source: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // The pipeline's failure is the stream's own: who reads it is told.
  pipeline(Readable.from(chunks), gunzip).catch(() => {});
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!code.startsWith("Z_")) throw error;
    throw new FormatError(source, undefined, `damaged gzip: ${error instanceof Error ? error.message : code}`);
  }
}

interface Peeked {
  readonly start: Uint8Array;
  /** The whole stream, the start included. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

async function peek(chunks: AsyncIterable<Uint8Array>, bytes: number): Promise<Peeked> {
  const iterator = chunks[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  while (heldBytes < bytes) {
    const next = await iterator.next();
    if (next.done) break;
    held.push(next.value);
    heldBytes += next.value.length;
  }
  const start = Buffer.concat(held);
  const again = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield start;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  return { start, chunks: again() };
}

async function inMemory(source: string, chunks: AsyncIterable<Uint8Array>): Promise<RandomAccess> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > largestUnpackedParquet) {
      throw new FormatError(source, undefined, "a Parquet file packed by gzip and over 256 MiB: unpack it first");
    }
  }
  const bytes = Buffer.concat(parts);
  return { byteLength: length, read: async (from, to) => bytes.subarray(from, to) };
}

class Summing {
  readonly #columns = new Map<string, ColumnSummary>();
  readonly #uncounted = new Set<string>();
  readonly firstRecords: NamedCells[] = [];
  recordCount = 0;
  isWhole = true;

  add(record: NamedCells): void {
    this.recordCount++;
    for (const [name, cell] of record) {
      let column = this.#columns.get(name);
      if (!column) {
        if (this.#columns.size >= mostColumns) {
          if (this.#uncounted.size < mostColumns) this.#uncounted.add(name);
          continue;
        }
        column = new ColumnSummary(name);
        this.#columns.set(name, column);
      }
      column.add(cell);
    }
  }

  async addAll(records: AsyncIterable<NamedCells>, { firstRecords, recordLimit }: InspectOptions): Promise<void> {
    for await (const record of records) {
      if (this.recordCount >= recordLimit) {
        this.isWhole = false;
        return;
      }
      if (this.firstRecords.length < firstRecords) this.firstRecords.push(record);
      this.add(record);
    }
  }

  get result(): Omit<DataSummary, "format" | "isGzip" | "notes"> {
    // What is nowhere present (libsvm's weights) is no column.
    const columns = [...this.#columns.values()].filter(({ present }) => present > 0);
    const { recordCount, isWhole, firstRecords } = this;
    return { recordCount, isWhole, firstRecords, columns, uncountedColumns: this.#uncounted.size };
  }
}

async function* parquetRecords(rows: AsyncIterable<object>): AsyncGenerator<NamedCells> {
  for await (const row of rows) yield objectCells(row);
}

/** Reads the file to its end or the limit. Throws FormatError where it is damaged or no data file; I/O errors pass. */
export async function inspectData(file: DataFile, options: InspectOptions): Promise<DataSummary> {
  const { source } = file;
  const outer = await peek(file.stream(), 2);
  const isGzip = startsLikeGzip(outer.start);
  const { start, chunks } = await peek(isGzip ? unpacked(source, outer.chunks) : outer.chunks, detectionBytes);
  const format = detectFormat(source, start.subarray(0, detectionBytes));
  const sum = new Summing();
  if (format.name !== "parquet") {
    await sum.addAll(readRecords(format, source, chunks, options), options);
    return { format, isGzip, notes: [], ...sum.result };
  }
  const parquet = await openParquet(source, isGzip ? await inMemory(source, chunks) : file);
  await sum.addAll(parquetRecords(parquet.rows()), options);
  const groups = `${parquet.rowGroupCount} row group${parquet.rowGroupCount === 1 ? "" : "s"}`;
  const notes = [
    `${parquet.rowCount} rows in ${groups}`,
    ...parquet.columns.map(({ name, type }) => `${name}: ${type}`),
  ];
  return { format, isGzip, notes, ...sum.result };
}
