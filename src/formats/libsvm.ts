// libsvm (SVMlight) text: `label[:weight] [qid:group] index:value …  # comment`, as XGBoost reads it.
// https://xgboost.readthedocs.io/en/stable/tutorials/input_format.html
import { FormatError } from "./format-error.ts";
import { LineSplitter } from "./lines.ts";

export interface LibsvmRow {
  readonly label: number;
  readonly weight?: number;
  /** The group of a ranking task. */
  readonly queryId?: number;
  /** As written: 0-based or 1-based is the file's affair. Strictly increasing where the file is well made; not enforced. */
  readonly indices: readonly number[];
  /** Beside `indices`. */
  readonly values: readonly number[];
}

const number = /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|nan|inf(?:inity)?)$/i;
const largestIndex = 2 ** 31 - 1;

function toNumber(text: string): number | undefined {
  if (!number.test(text)) return undefined;
  const plain = Number(text);
  if (!Number.isNaN(plain)) return plain;
  if (/nan/i.test(text)) return NaN;
  return text.startsWith("-") ? -Infinity : Infinity;
}

const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

class LineReader {
  readonly #wrong: (problem: string) => FormatError;
  readonly indices: number[] = [];
  readonly values: number[] = [];
  queryId: number | undefined;

  constructor(wrong: (problem: string) => FormatError) {
    this.#wrong = wrong;
  }

  number(text: string, what: string): number {
    const value = toNumber(text);
    if (value === undefined) throw this.#wrong(`${what} is ${quoted(text)}, not a number`);
    return value;
  }

  index(text: string): number {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (value <= largestIndex) return value;
    throw this.#wrong(`the index ${quoted(text)} is not a whole number from 0 to ${largestIndex}`);
  }

  pair(word: string): void {
    const colon = word.indexOf(":");
    if (colon < 0) throw this.#wrong(`${quoted(word)} is not of the form index:value`);
    const [name, value] = [word.slice(0, colon), word.slice(colon + 1)];
    if (name === "qid") {
      this.queryId = this.index(value);
      return;
    }
    this.indices.push(this.index(name));
    this.values.push(this.number(value, `the value of index ${name}`));
  }
}

/** One line; undefined where it is empty or a comment alone. Throws FormatError. */
export function parseLibsvmLine(line: Uint8Array, source: string, lineNumber: number): LibsvmRow | undefined {
  const wrong = (problem: string): FormatError => new FormatError(source, lineNumber, problem, "line");
  const text = new TextDecoder().decode(line);
  const comment = text.indexOf("#");
  const [first, ...words] = (comment < 0 ? text : text.slice(0, comment)).split(/[ \t]+/).filter(Boolean);
  if (first === undefined) return undefined;
  const reader = new LineReader(wrong);
  const colon = first.indexOf(":");
  const label = reader.number(colon < 0 ? first : first.slice(0, colon), "the label");
  const weight = colon < 0 ? undefined : reader.number(first.slice(colon + 1), "the weight");
  for (const word of words) reader.pair(word);
  const { indices, values, queryId } = reader;
  return { label, ...(weight !== undefined && { weight }), ...(queryId !== undefined && { queryId }), indices, values };
}

/** Rows of a stream; empty lines and comments are passed over. */
export async function* readLibsvm(source: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LibsvmRow> {
  const splitter = new LineSplitter(source);
  let lineNumber = 0;
  const rows = function* (lines: readonly Uint8Array[]): Generator<LibsvmRow> {
    for (const line of lines) {
      const row = parseLibsvmLine(line, source, ++lineNumber);
      if (row) yield row;
    }
  };
  for await (const chunk of chunks) yield* rows(splitter.push(chunk));
  yield* rows(splitter.end());
}

/** One line without its end. */
export function formatLibsvmRow({ label, weight, queryId, indices, values }: LibsvmRow): string {
  const words = [weight === undefined ? `${label}` : `${label}:${weight}`];
  if (queryId !== undefined) words.push(`qid:${queryId}`);
  for (const [at, index] of indices.entries()) words.push(`${index}:${values[at] ?? 0}`);
  return words.join(" ");
}
