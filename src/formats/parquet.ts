// Parquet files, read one row group at a time. The decoding is hyparquet's; this bounds what a file may make us hold.
// https://parquet.apache.org/docs/file-format/
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  snappyUncompress,
} from "hyparquet";
import { FormatError } from "./format-error.ts";
import { unpackLz4Block } from "./lz4-block.ts";

/** Bytes anywhere in a file or object. */
export interface RandomAccess {
  readonly byteLength: number;
  /** The bytes from `from` to `to` (exclusive). Rejects with the I/O error where they cannot be had. */
  read(from: number, to: number): Promise<Uint8Array>;
}

export interface ParquetColumn {
  readonly name: string;
  /** "DOUBLE", "BYTE_ARRAY (STRING)", "LIST" …: the physical type and what it stands for. */
  readonly type: string;
}

export interface ParquetFile {
  readonly rowCount: number;
  readonly rowGroupCount: number;
  /** Of the first level; nested ones come as objects and arrays. */
  readonly columns: readonly ParquetColumn[];
  /** Values of a column: undefined or null where missing, bigint for 64-bit integers. Throws FormatError. */
  rows(): AsyncGenerator<Readonly<Record<string, unknown>>>;
}

const mebibyte = 2 ** 20;
const largestFooterBytes = 64 * mebibyte;
const largestPageBytes = 256 * mebibyte;
const largestGroupBytes = 2_048 * mebibyte;
const largestGroupRows = 50_000_000;
/** Rows that are turned into objects together. */
const batchRows = 10_000;

const magic = new TextEncoder().encode("PAR1");

export const startsLikeParquet = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && magic.every((byte, at) => bytes[at] === byte);

function checkedPage(outputBytes: number): number {
  if (outputBytes <= largestPageBytes) return outputBytes;
  throw new RangeError(`a page of ${outputBytes} bytes is over the limit of ${largestPageBytes}`);
}

const bounded = (outputBytes: number): { maxOutputLength: number } => ({
  maxOutputLength: Math.max(checkedPage(outputBytes), 1),
});

const compressors: Compressors = {
  SNAPPY: (input, outputBytes) => {
    const output = new Uint8Array(checkedPage(outputBytes));
    snappyUncompress(input, output);
    return output;
  },
  GZIP: (input, outputBytes) => gunzipSync(input, bounded(outputBytes)),
  BROTLI: (input, outputBytes) => brotliDecompressSync(input, bounded(outputBytes)),
  LZ4_RAW: (input, outputBytes) => unpackLz4Block(input, checkedPage(outputBytes)),
  ZSTD: (input, outputBytes) => zstdDecompressSync(input, bounded(outputBytes)),
};

/** Remembers the first I/O error, which is no fault of the format. */
class Buffered implements AsyncBuffer {
  readonly byteLength: number;
  readonly #from: RandomAccess;
  ioError: unknown;

  constructor(from: RandomAccess) {
    this.#from = from;
    this.byteLength = from.byteLength;
  }

  slice(start: number, end: number = this.byteLength): Promise<ArrayBuffer> {
    const read = this.#slice(start, end);
    // Read ahead, some slices are never waited for: those that are tell the error.
    read.catch(() => {});
    return read;
  }

  async #slice(start: number, end: number): Promise<ArrayBuffer> {
    if (!(start >= 0 && start <= end && end <= this.byteLength)) {
      throw new RangeError(`it points to the bytes from ${start} to ${end} of ${this.byteLength}`);
    }
    try {
      const bytes = await this.#from.read(start, end);
      const copy = new ArrayBuffer(bytes.byteLength);
      new Uint8Array(copy).set(bytes);
      return copy;
    } catch (error) {
      this.ioError = error;
      throw error;
    }
  }
}

/** Checks what the footer promises before anything is read after it. */
function checkGroups(metadata: FileMetaData, byteLength: number): void {
  for (const [at, group] of metadata.row_groups.entries()) {
    if (group.num_rows < 0n || group.num_rows > BigInt(largestGroupRows)) {
      throw new RangeError(`row group ${at + 1} has ${group.num_rows} rows; the limit is ${largestGroupRows}`);
    }
    let bytes = 0n;
    for (const { meta_data: column } of group.columns) {
      if (!column) throw new RangeError(`row group ${at + 1} keeps a column in another file`);
      if (column.num_values < 0n || column.num_values > BigInt(largestGroupRows) * 4n) {
        throw new RangeError(`row group ${at + 1} has a column of ${column.num_values} values`);
      }
      if (column.total_compressed_size > BigInt(byteLength)) {
        throw new RangeError(`row group ${at + 1} has a column longer than the file`);
      }
      bytes += column.total_uncompressed_size;
    }
    if (bytes > BigInt(largestGroupBytes)) {
      throw new RangeError(`row group ${at + 1} has ${bytes} bytes; the limit is ${largestGroupBytes}`);
    }
  }
}

function columnsOf(metadata: FileMetaData): ParquetColumn[] {
  return parquetSchema(metadata).children.map(({ element }) => {
    const meaning = element.logical_type?.type ?? element.converted_type;
    const physical = element.type ?? "GROUP";
    return { name: element.name, type: meaning === undefined ? physical : `${physical} (${meaning})` };
  });
}

function readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  from: number,
  to: number,
): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    parquetRead({
      file,
      metadata,
      compressors,
      rowFormat: "object",
      rowStart: from,
      rowEnd: to,
      geoparquet: false,
      // Bytes that the file does not call text stay bytes.
      utf8: false,
      onComplete: resolve,
    }).catch(reject);
  });
}

async function checkFooter(file: Buffered): Promise<void> {
  if (file.byteLength < 12) throw new RangeError("it is too short for a Parquet file");
  const footer = new DataView(await file.slice(file.byteLength - 8));
  if (footer.getUint32(4, true) !== 0x31524150) throw new RangeError('it does not end with "PAR1"; was it cut?');
  const length = footer.getUint32(0, true);
  if (length > Math.min(largestFooterBytes, file.byteLength - 12)) {
    throw new RangeError(`its footer claims ${length} bytes`);
  }
}

/** Reads the footer. Throws FormatError naming `source`; I/O errors pass as they are. */
export async function openParquet(source: string, bytes: RandomAccess): Promise<ParquetFile> {
  const file = new Buffered(bytes);
  const guarded = async <T>(work: () => Promise<T>, group?: number): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (file.ioError !== undefined) throw file.ioError;
      const where = group === undefined ? "not readable as Parquet" : `row group ${group} is not readable`;
      throw new FormatError(source, undefined, `${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const { metadata, columns } = await guarded(async () => {
    await checkFooter(file);
    const read = await parquetMetadataAsync(file, { geoparquet: false });
    checkGroups(read, file.byteLength);
    return { metadata: read, columns: columnsOf(read) };
  });
  const rows = async function* (): AsyncGenerator<Record<string, unknown>> {
    let from = 0;
    for (const [at, { num_rows }] of metadata.row_groups.entries()) {
      const end = from + Number(num_rows);
      for (; from < end; from = Math.min(end, from + batchRows)) {
        yield* await guarded(() => readRows(file, metadata, from, Math.min(end, from + batchRows)), at + 1);
      }
    }
  };
  return { rowCount: Number(metadata.num_rows), rowGroupCount: metadata.row_groups.length, columns, rows };
}
