// Splits a byte stream into lines without their ends (\n or \r\n); the bytes of a line are handed out as a view.
import { FormatError } from "./format-error.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const withoutReturn = (line: Uint8Array): Uint8Array =>
  line.length > 0 && line[line.length - 1] === carriageReturn ? line.subarray(0, line.length - 1) : line;

/** A line over it is taken for a file that is no text. */
export const longestLineBytes = 256 * 1024 * 1024;

/** Fed chunk by chunk; holds at most one incomplete line. */
export class LineSplitter {
  readonly #source: string;
  readonly #maxLineBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #lines = 0;
  #offset = 0;

  /** Throws FormatError naming `source` where a line is longer than `maxLineBytes`. */
  constructor(source: string, maxLineBytes: number = longestLineBytes) {
    this.#source = source;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Where the line that was begun last begins. */
  get lineOffset(): number {
    return this.#offset;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let to = chunk.indexOf(lineFeed); to >= 0; to = chunk.indexOf(lineFeed, from)) {
      lines.push(withoutReturn(this.#complete(chunk.subarray(from, to))));
      this.#lines++;
      from = to + 1;
    }
    if (from < chunk.length) {
      this.#pending.push(chunk.subarray(from));
      this.#pendingBytes += chunk.length - from;
      this.#check(this.#pendingBytes);
    }
    return lines;
  }

  /** The last line, when the stream did not end with a line feed. */
  end(): Uint8Array[] {
    return this.#pendingBytes === 0 ? [] : [withoutReturn(this.#complete(new Uint8Array(0)))];
  }

  #check(lineBytes: number): void {
    if (lineBytes <= this.#maxLineBytes) return;
    const problem = `the line is longer than the limit of ${this.#maxLineBytes} bytes`;
    throw new FormatError(this.#source, this.#lines + 1, problem, "line", this.#offset);
  }

  #complete(tail: Uint8Array): Uint8Array {
    this.#check(this.#pendingBytes + tail.length);
    this.#offset += this.#pendingBytes + tail.length + 1;
    if (this.#pendingBytes === 0) return tail;
    const line = joined([...this.#pending, tail], this.#pendingBytes + tail.length);
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }
}
