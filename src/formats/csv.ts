// General CSV (RFC 4180): quoted fields with commas, line ends and doubled quotes in them. For plain numbers csv-numbers.ts is faster.
import { FormatError } from "./format-error.ts";
import { longestLineBytes } from "./lines.ts";

export interface CsvRow {
  /** 1-based line where the row begins. */
  readonly lineNumber: number;
  readonly fields: readonly string[];
}

export interface CsvOptions {
  /** One ASCII character; a comma unless said. */
  readonly delimiter?: string;
  /** Rows longer than this are refused. */
  readonly maxRowBytes?: number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const byteOrderMark = [0xef, 0xbb, 0xbf];

type State = "field-start" | "plain" | "quoted" | "quote-seen";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Fed chunk by chunk; holds at most one incomplete row. Empty lines are passed over; a byte order mark at the start too. A quote
 * inside an unquoted field stands for itself, as most writers mean it.
 */
export class CsvParser {
  readonly #source: string;
  readonly #delimiter: number;
  readonly #maxRowBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #state: State = "field-start";
  #isFirst = true;
  /** Of a byte order mark at the very start; 3: seen, or there is none. */
  #markBytes = 0;
  /** Of the row at hand. */
  #lineNumber = 1;
  #offset = 0;
  #lineFeeds = 0;

  constructor(source: string, { delimiter = ",", maxRowBytes = longestLineBytes }: CsvOptions = {}) {
    this.#source = source;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxRowBytes = maxRowBytes;
  }

  /** The rows completed by this chunk. Throws FormatError. */
  push(chunk: Uint8Array): CsvRow[] {
    const rows: CsvRow[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === lineFeed) {
        this.#lineFeeds++;
        if (this.#state !== "quoted") {
          this.#complete(chunk.subarray(from, at + 1), rows);
          from = at + 1;
          continue;
        }
      }
      this.#state = this.#next(byte);
    }
    if (from < chunk.length) {
      this.#pending.push(chunk.subarray(from));
      this.#pendingBytes += chunk.length - from;
      this.#check(this.#pendingBytes);
    }
    return rows;
  }

  /** The last row, where the stream did not end with a line feed. */
  end(): CsvRow[] {
    if (this.#pendingBytes === 0) return [];
    if (this.#state === "quoted") throw this.#wrong("the file ends inside a quoted field of the row that begins here");
    const rows: CsvRow[] = [];
    this.#complete(new Uint8Array(0), rows);
    return rows;
  }

  #next(byte: number): State {
    const isDelimiter = byte === this.#delimiter;
    switch (this.#state) {
      case "field-start":
        if (this.#isInMark(byte)) return "field-start";
        return byte === quote ? "quoted" : isDelimiter ? "field-start" : "plain";
      case "plain":
        return isDelimiter ? "field-start" : "plain";
      case "quoted":
        return byte === quote ? "quote-seen" : "quoted";
      case "quote-seen":
        if (byte === quote) return "quoted";
        return isDelimiter ? "field-start" : "plain";
    }
  }

  /** A mark before the first field would hide its quote. */
  #isInMark(byte: number): boolean {
    const isInMark = byte === byteOrderMark[this.#markBytes];
    this.#markBytes = isInMark ? this.#markBytes + 1 : byteOrderMark.length;
    return isInMark;
  }

  #complete(tail: Uint8Array, rows: CsvRow[]): void {
    const lengthBytes = this.#pendingBytes + tail.length;
    this.#check(lengthBytes);
    let row = this.#pendingBytes === 0 ? tail : Buffer.concat([...this.#pending, tail]);
    if (row[row.length - 1] === lineFeed) row = row.subarray(0, row.length - 1);
    if (row[row.length - 1] === carriageReturn) row = row.subarray(0, row.length - 1);
    if (this.#isFirst && byteOrderMark.every((byte, at) => row[at] === byte)) row = row.subarray(3);
    this.#isFirst = false;
    if (row.length > 0) rows.push({ lineNumber: this.#lineNumber, fields: this.#fields(row) });
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#state = "field-start";
    this.#lineNumber += this.#lineFeeds;
    this.#lineFeeds = 0;
    this.#offset += lengthBytes;
  }

  #fields(row: Uint8Array): string[] {
    const fields: string[] = [];
    let at = 0;
    for (;;) {
      const isQuoted = row[at] === quote;
      const end = isQuoted ? this.#quotedEnd(row, at, fields.length) : row.indexOf(this.#delimiter, at);
      const stop = end < 0 ? row.length : end;
      const text = this.#text(isQuoted ? row.subarray(at + 1, stop - 1) : row.subarray(at, stop), fields.length);
      fields.push(isQuoted ? text.replaceAll('""', '"') : text);
      if (stop >= row.length) return fields;
      at = stop + 1;
    }
  }

  /** Where the delimiter behind a quoted field is, or the row's end. */
  #quotedEnd(row: Uint8Array, from: number, column: number): number {
    let at = from + 1;
    for (;;) {
      const closing = row.indexOf(quote, at);
      if (closing < 0) throw this.#wrong(`column ${column + 1} begins with a quote that is never closed`);
      if (row[closing + 1] === quote) {
        at = closing + 2;
        continue;
      }
      const after = closing + 1;
      if (after === row.length || row[after] === this.#delimiter) return after;
      throw this.#wrong(`column ${column + 1} has text behind its closing quote`);
    }
  }

  #text(bytes: Uint8Array, column: number): string {
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.#wrong(`column ${column + 1} is not UTF-8 text`);
    }
  }

  #check(rowBytes: number): void {
    if (rowBytes <= this.#maxRowBytes) return;
    const hint = this.#state === "quoted" ? "; is a quote never closed?" : "";
    throw this.#wrong(`the row is longer than the limit of ${this.#maxRowBytes} bytes${hint}`);
  }

  #wrong(problem: string): FormatError {
    return new FormatError(this.#source, this.#lineNumber, problem, "line", this.#offset);
  }
}

/** The rows of a CSV stream. They may have different widths: the caller knows what it expects. */
export async function* readCsv(
  source: string,
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions = {},
): AsyncGenerator<CsvRow> {
  const parser = new CsvParser(source, options);
  for await (const chunk of chunks) yield* parser.push(chunk);
  yield* parser.end();
}

/** One row without its line end; quotes only what needs it. */
export function formatCsvRow(fields: readonly string[], delimiter = ","): string {
  // A row of one empty field would be an empty line, which readers pass over; a mark at the start would be taken away.
  const needsQuotes = (field: string): boolean => /["\r\n\uFEFF]/.test(field) || field.includes(delimiter);
  if (fields.length === 1 && fields[0] === "") return '""';
  return fields.map((field) => (needsQuotes(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(delimiter);
}
