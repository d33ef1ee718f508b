// CSV of numbers, as SageMaker's built-in algorithms read it: no header, comma-separated, labels in the first columns.
import { FormatError } from "./format-error.ts";
import { LineSplitter } from "./lines.ts";

const comma = 0x2c;
const space = 0x20;
const tab = 0x09;
const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const quote = 0x22;

/** Powers of ten that a double holds exactly: up to these, one multiplication or division rounds correctly. */
const exactPowers = Float64Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
const largestExact = 2 ** 53;

const isBlank = (byte: number | undefined): boolean => byte === space || byte === tab || byte === quote;

const isDigit = (byte: number): boolean => byte >= zero && byte <= nine;
const isSign = (byte: number | undefined): boolean => byte === minus || byte === plus;

/** Plain decimals without exponent, the common case; NaN sends the caller to the general parser. */
function parseDecimal(bytes: Uint8Array, from: number, to: number): number {
  const start = isSign(bytes[from]) ? from + 1 : from;
  let mantissa = 0;
  let pointAt = -1;
  for (let at = start; at < to; at++) {
    const byte = bytes[at]!;
    if (isDigit(byte)) mantissa = mantissa * 10 + (byte - zero);
    else if (byte === point && pointAt < 0) pointAt = at;
    else return NaN;
  }
  const digits = to - start - (pointAt < 0 ? 0 : 1);
  const decimals = pointAt < 0 ? 0 : to - pointAt - 1;
  const power = exactPowers[decimals];
  if (digits === 0 || mantissa > largestExact || !power) return NaN;
  const value = mantissa / power;
  return bytes[from] === minus ? -value : value;
}

const general = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const special = /^([+-]?)(nan|inf|infinity)$/i;

function parseGeneral(text: string): number | undefined {
  if (general.test(text)) return Number(text);
  const match = special.exec(text);
  if (!match) return undefined;
  if (match[2]!.toLowerCase() === "nan") return NaN;
  return match[1] === "-" ? -Infinity : Infinity;
}

function parseField(bytes: Uint8Array, from: number, to: number): number | undefined {
  let start = from;
  let end = to;
  while (start < end && isBlank(bytes[start])) start++;
  while (end > start && isBlank(bytes[end - 1])) end--;
  const fast = parseDecimal(bytes, start, end);
  return Number.isNaN(fast) ? parseGeneral(new TextDecoder().decode(bytes.subarray(start, end))) : fast;
}

function countFields(line: Uint8Array): number {
  let count = 1;
  for (let at = line.indexOf(comma); at >= 0; at = line.indexOf(comma, at + 1)) count++;
  return count;
}

/** Parses lines of numbers into float32 rows. Rows may have different widths: the caller knows what it expects. */
export class CsvNumberParser {
  readonly #source: string;
  readonly #lines: LineSplitter;
  #lineNumber = 0;

  constructor(source: string) {
    this.#source = source;
    this.#lines = new LineSplitter(source);
  }

  /** The rows completed by this chunk. Empty lines are passed over. Throws FormatError naming line and column. */
  push(chunk: Uint8Array): Float32Array[] {
    return this.#rows(this.#lines.push(chunk));
  }

  end(): Float32Array[] {
    return this.#rows(this.#lines.end());
  }

  #rows(lines: readonly Uint8Array[]): Float32Array[] {
    const rows: Float32Array[] = [];
    for (const line of lines) {
      this.#lineNumber++;
      if (line.length > 0) rows.push(this.#row(line));
    }
    return rows;
  }

  #row(line: Uint8Array): Float32Array {
    const row = new Float32Array(countFields(line));
    let from = 0;
    for (let column = 0; column < row.length; column++) {
      const next = line.indexOf(comma, from);
      const to = next < 0 ? line.length : next;
      const value = parseField(line, from, to);
      if (value === undefined) throw this.#notANumber(line, column, from, to);
      row[column] = value;
      from = to + 1;
    }
    return row;
  }

  #notANumber(line: Uint8Array, column: number, from: number, to: number): FormatError {
    const text = new TextDecoder().decode(line.subarray(from, Math.min(to, from + 40)));
    const what = text.trim() === "" ? "is empty" : `is ${JSON.stringify(text)}, not a number`;
    const hint = this.#lineNumber === 1 ? " (a header line is not allowed)" : "";
    return new FormatError(this.#source, this.#lineNumber, `column ${column + 1} ${what}${hint}`, "line");
  }
}

/** The rows of a CSV stream, as many at a time as a chunk completes. */
export async function* readCsvNumbers(
  source: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Float32Array[]> {
  const parser = new CsvNumberParser(source);
  for await (const chunk of chunks) {
    const rows = parser.push(chunk);
    if (rows.length > 0) yield rows;
  }
  const rest = parser.end();
  if (rest.length > 0) yield rest;
}
