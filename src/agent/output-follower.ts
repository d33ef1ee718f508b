// Reads what the program writes: a growing file, from a saved byte offset, as lines. Limits are CloudWatch Logs' (256 KB per event).
import { closeSync, openSync, readSync, fstatSync } from "node:fs";
import type { Clock } from "../lib/clock.ts";

/** 256 KB less the 26 bytes that CloudWatch counts for every event. */
export const longestLineBytes = 262_144 - 26;
const batchBytes = 1_048_576;
const batchLines = 10_000;
/** A line without its end, e.g. a prompt or a progress bar, is passed on after this silence. */
const partialLineAfterMs = 1_000;

export interface OutputBatch {
  readonly lines: readonly string[];
  /** Where the next batch starts. */
  readonly offset: number;
}

export interface OutputFollower {
  /** Up to 1 MB of lines from `offset` on, without taking them; undefined when there are none. `isFinal`: nobody writes any more. */
  next(offset: number, isFinal: boolean): OutputBatch | undefined;
  close(): void;
}

export function followOutput(path: string, clock: Clock): OutputFollower {
  let file: number | undefined;
  let partial = { offset: -1, size: -1, since: 0 };
  const buffer = Buffer.allocUnsafe(batchBytes);

  const mayPass = (offset: number, size: number): boolean => {
    const now = clock.monotonicMs();
    if (partial.offset !== offset || partial.size !== size) partial = { offset, size, since: now };
    return now - partial.since >= partialLineAfterMs;
  };

  return {
    next: (saved, isFinal) => {
      file ??= openSync(path, "a+", 0o600);
      const size = fstatSync(file).size;
      // `echo x > /dev/stdout` opens the file anew and empties it; what follows starts at 0.
      const offset = size < saved ? 0 : saved;
      if (size <= offset) return undefined;
      const bytes = buffer.subarray(0, readSync(file, buffer, 0, batchBytes, offset));
      const batch = splitLines(bytes, offset);
      if (batch.lines.length > 0) return batch;
      if (!isFinal && !mayPass(offset, size)) return undefined;
      const cut = isFinal ? bytes.length : wholeCharacters(bytes);
      return { lines: [shownText(bytes.subarray(0, cut))], offset: offset + cut };
    },
    close: () => {
      if (file !== undefined) closeSync(file);
    },
  };
}

/** The complete lines of `bytes`; what is longer than a line may be is cut. */
export function splitLines(bytes: Buffer, offset: number): OutputBatch {
  const lines: string[] = [];
  let start = 0;
  while (start < bytes.length && lines.length < batchLines) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end - start > longestLineBytes) {
      const cut = start + wholeCharacters(bytes.subarray(start, start + longestLineBytes));
      lines.push(shownText(bytes.subarray(start, cut)));
      start = cut;
    } else if (newline < 0) {
      break;
    } else {
      lines.push(shownText(bytes.subarray(start, end)));
      start = newline + 1;
    }
  }
  return { lines, offset: offset + start };
}

/** What a terminal would show: a carriage return starts the line again, as progress bars do. */
function shownText(line: Buffer): string {
  const parts = line.toString("utf8").split("\r");
  return parts.findLast((part) => part !== "") ?? "";
}

/** The length without the bytes of a UTF-8 character that is cut at the end. */
function wholeCharacters(bytes: Buffer): number {
  let lead = bytes.length - 1;
  while (lead > 0 && bytes.length - lead < 4 && (bytes[lead]! & 0xc0) === 0x80) lead--;
  const byte = bytes[lead] ?? 0;
  const width = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
  const isCut = lead > 0 && lead + width > bytes.length;
  return isCut ? lead : bytes.length;
}
