// A line of progress on stderr: redrawn on a terminal, one line a tenth of the way elsewhere (a log shall not fill with bars).
import type { Clock } from "../lib/clock.ts";

const barWidth = 28;
const redrawMs = 100;

const units = ["B", "kB", "MB", "GB", "TB"];

/** "1.5 MB": decimal units, as S3's console shows sizes. */
export function readableBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneFiles: number;
  readonly fileCount: number;
}

export interface ProgressLine {
  show(progress: Progress): void;
  /** Ends the redrawn line. */
  close(): void;
}

const fractionOf = ({ doneBytes, totalBytes, doneFiles, fileCount }: Progress): number =>
  totalBytes > 0 ? doneBytes / totalBytes : doneFiles / Math.max(fileCount, 1);

function lineOf(progress: Progress, elapsedMs: number): string {
  const fraction = Math.min(fractionOf(progress), 1);
  const full = Math.floor(fraction * barWidth);
  const bar = "█".repeat(full) + "░".repeat(barWidth - full);
  const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
  const rate = `${readableBytes((progress.doneBytes / Math.max(elapsedMs, 1)) * 1_000)}/s`;
  const leftSeconds = fraction > 0 ? Math.round((elapsedMs / 1_000) * (1 / fraction - 1)) : 0;
  return `${bar} ${percent}  ${progress.doneFiles}/${progress.fileCount} files  ${rate}  ${leftSeconds} s left`;
}

export function progressLine(clock: Clock, isTerminal: boolean, write: (text: string) => void): ProgressLine {
  const startMs = clock.monotonicMs();
  let shownMs = -Infinity;
  let shownTenth = 0;
  let isOpen = false;
  const show = (progress: Progress): void => {
    const nowMs = clock.monotonicMs();
    const isLast = progress.doneFiles === progress.fileCount;
    if (isTerminal) {
      if (nowMs - shownMs < redrawMs && !isLast) return;
      write(`\r\u001b[2K${lineOf(progress, nowMs - startMs)}`);
      [shownMs, isOpen] = [nowMs, true];
      return;
    }
    const tenth = Math.floor(fractionOf(progress) * 10);
    if (tenth === shownTenth && !isLast) return;
    shownTenth = tenth;
    write(`${lineOf(progress, nowMs - startMs)}\n`);
  };
  return { show, close: () => void (isOpen && write("\n")) };
}
