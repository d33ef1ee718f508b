// An input channel as the training program sees it: rows from files (File, FastFile) or from a named pipe (Pipe).
import { createReadStream, existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { readCsvNumbers } from "../formats/csv-numbers.ts";
import { FormatError } from "../formats/format-error.ts";
import { decodeRecord } from "../formats/record-protobuf.ts";
import { readRecordIo, startsLikeRecordIo } from "../formats/recordio.ts";
import type { Clock } from "../lib/clock.ts";
import { seconds } from "../lib/clock.ts";
import { ClientError } from "./client-error.ts";
import { type ContentType, labelSizeOf, parseContentType } from "./content-type.ts";
import { isDense, type Row, rowOfRecord, RowProblem, widthOf } from "./rows.ts";
import type { ChannelConfig } from "./task-folder.ts";

export interface RowExpectation {
  /** Every row must have this many features. */
  readonly width: number;
  /** Labels at the start of a CSV line when the content type does not say. */
  readonly csvLabelSize: number;
}

/** Rows that were read together. */
export interface RowGroup {
  readonly rows: readonly Row[];
  /** Where the row stands: "train/a: record 301". */
  where(index: number): string;
}

export interface Channel {
  readonly name: string;
  /** Rows in the order of the sorted file names, as many at a time as a read completes. Throws FormatError, ClientError. */
  rows(epoch: number, expected: RowExpectation): AsyncIterable<RowGroup>;
  /** Why there may be no rows, for an error text: "train/a is empty". */
  whyEmpty(): Promise<string>;
}

const readBytes = 1 << 20;
const recordIo = "application/x-recordio-protobuf";
const csv = "text/csv";

async function filesUnder(folder: string): Promise<string[]> {
  // Where data is sharded over more hosts than there are files, a host may have no folder at all.
  const entries = existsSync(folder) ? await readdir(folder, { recursive: true, withFileTypes: true }) : [];
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await stat(path)).isFile())) files.push(path);
  }
  return files.sort((a, b) => (a < b ? -1 : 1));
}

/** The pipe of an epoch may not exist yet: the platform makes it once the one before was opened and closed. */
async function awaitPipe(path: string, clock: Clock): Promise<void> {
  const deadline = clock.monotonicMs() + seconds(900);
  for (;;) {
    try {
      await stat(path);
      return;
    } catch {
      if (clock.monotonicMs() > deadline) throw new ClientError(`the pipe ${path} did not appear`);
      await clock.sleep(50);
    }
  }
}

function checkedRow(row: Row, source: string, number: number, { width }: RowExpectation, unit: Unit): Row {
  if (widthOf(row) === width) return row;
  throw new FormatError(source, number, `it has ${widthOf(row)} features, but feature_dim is ${width}`, unit);
}

type Unit = "record" | "line";

const grouped = (rows: readonly Row[], source: string, firstNumber: number, unit: Unit): RowGroup => ({
  rows,
  where: (index) => `${source}: ${unit} ${firstNumber + index}`,
});

async function* recordRows(
  source: string,
  bytes: AsyncIterable<Uint8Array>,
  expected: RowExpectation,
): AsyncGenerator<RowGroup> {
  let number = 0;
  for await (const records of readRecordIo(source, bytes)) {
    const first = number + 1;
    const rows = records.map((record) => {
      number++;
      try {
        const row = rowOfRecord(decodeRecord(record, source, number), expected.width);
        return checkedRow(row, source, number, expected, "record");
      } catch (error) {
        if (error instanceof RowProblem) throw new FormatError(source, number, error.message);
        throw error;
      }
    });
    yield grouped(rows, source, first, "record");
  }
}

async function* csvRows(
  source: string,
  bytes: AsyncIterable<Uint8Array>,
  type: ContentType,
  expected: RowExpectation,
): AsyncGenerator<RowGroup> {
  let number = 0;
  for await (const lines of readCsvNumbers(source, bytes)) {
    const first = number + 1;
    const rows = lines.map((row) => {
      number++;
      // Without label_size, a line that is as wide as the features has no label; SageMaker would refuse it.
      const labelSize = labelSizeOf(type, row.length === expected.width ? 0 : expected.csvLabelSize);
      const features = labelSize > 0 ? row.subarray(labelSize) : row;
      return checkedRow(features, source, number, expected, "line");
    });
    yield grouped(rows, source, first, "line");
  }
}

const looksLikeText = (bytes: Uint8Array): boolean =>
  bytes.subarray(0, 64).every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));

/** Passes the bytes on, unless their beginning shows that they are in the other format. */
async function* checkedFormat(
  source: string,
  bytes: AsyncIterable<Uint8Array>,
  declared: string,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of bytes) {
    if (isFirst && declared === csv && startsLikeRecordIo(chunk))
      throw new FormatError(source, 1, `it is RecordIO, but the channel's content type is '${csv}'`);
    if (isFirst && declared === recordIo && !startsLikeRecordIo(chunk) && looksLikeText(chunk))
      throw new FormatError(
        source,
        1,
        `it is text, but the channel's content type is '${recordIo}'; for CSV set ContentType to '${csv}'`,
      );
    isFirst = false;
    yield chunk;
  }
}

export interface ChannelOptions {
  readonly name: string;
  readonly config: ChannelConfig;
  /** /opt/ml/input/data */
  readonly dataFolder: string;
  readonly clock: Clock;
}

export function openChannel({ name, config, dataFolder, clock }: ChannelOptions): Channel {
  const type = parseContentType(config.ContentType ?? recordIo);
  const rowsOf = (
    source: string,
    bytes: AsyncIterable<Uint8Array>,
    expected: RowExpectation,
  ): AsyncIterable<RowGroup> => {
    const checked = checkedFormat(source, bytes, type.type);
    if (type.type === recordIo) return recordRows(source, checked, expected);
    if (type.type === csv) return csvRows(source, checked, type, expected);
    throw new ClientError(
      `channel '${name}': content type '${type.type}' is not supported; use '${recordIo}' or '${csv}'`,
    );
  };
  const folder = join(dataFolder, name);
  const nameOf = (path: string): string => `${name}/${relative(folder, path)}`;
  return {
    name,
    async whyEmpty() {
      if (config.TrainingInputMode === "Pipe") return "nothing came through its pipe";
      const files = await filesUnder(folder);
      const [first] = files;
      if (first === undefined) return "its folder holds no files";
      const what = (await stat(first)).size === 0 ? "empty" : "without rows";
      if (files.length > 1) return `its ${files.length} files are ${what}, like ${nameOf(first)}`;
      return `${nameOf(first)} is ${what}`;
    },
    async *rows(epoch, expected) {
      if (config.TrainingInputMode === "Pipe") {
        const path = join(dataFolder, `${name}_${epoch}`);
        await awaitPipe(path, clock);
        yield* rowsOf(name, createReadStream(path, { highWaterMark: readBytes }), expected);
        return;
      }
      for (const path of await filesUnder(folder)) {
        yield* rowsOf(nameOf(path), createReadStream(path, { highWaterMark: readBytes }), expected);
      }
    },
  };
}

/** How full the rows are: the share of values that are not zero. */
export function densityOf(rows: readonly Row[]): number {
  let nonZero = 0;
  let all = 0;
  for (const row of rows) {
    all += widthOf(row);
    const values = isDense(row) ? row : row.values;
    for (let at = 0; at < values.length; at++) if (values[at] !== 0) nonZero++;
  }
  return all === 0 ? 1 : nonZero / all;
}
