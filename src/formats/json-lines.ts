// JSON lines: one JSON value on each line, empty lines passed over. https://jsonlines.org
import { FormatError } from "./format-error.ts";
import { LineSplitter } from "./lines.ts";

export interface JsonLine {
  /** 1-based. */
  readonly lineNumber: number;
  readonly value: unknown;
}

/** Throws FormatError naming the line that is not JSON. */
export function parseJsonLine(line: Uint8Array, source: string, lineNumber: number): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new FormatError(source, lineNumber, `not JSON: ${problem}`, "line");
  }
}

export async function* readJsonLines(source: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonLine> {
  const splitter = new LineSplitter(source);
  let lineNumber = 0;
  const parsed = function* (lines: readonly Uint8Array[]): Generator<JsonLine> {
    for (const line of lines) {
      lineNumber++;
      if (line.every((byte) => byte === 0x20 || byte === 0x09)) continue;
      yield { lineNumber, value: parseJsonLine(line, source, lineNumber) };
    }
  };
  for await (const chunk of chunks) yield* parsed(splitter.push(chunk));
  yield* parsed(splitter.end());
}
