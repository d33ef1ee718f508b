// How far the download is, for people, at most once a second.
import type { Clock } from "../lib/clock.ts";

export interface Progress {
  /** What the next bytes belong to, e.g. the channel's name. */
  start(name: string, totalBytes: number): void;
  add(bytes: number): void;
}

const everyMs = 1_000;
const megabyte = 1_000_000;

export function createProgress(clock: Clock, tell: (message: string) => void): Progress {
  let toldAt = clock.monotonicMs();
  let now = { name: "", total: 0, done: 0, startedAt: 0 };
  return {
    start: (name, totalBytes) => {
      now = { name, total: totalBytes, done: 0, startedAt: clock.monotonicMs() };
    },
    add: (bytes) => {
      now.done += bytes;
      const at = clock.monotonicMs();
      if (at - toldAt < everyMs) return;
      toldAt = at;
      const percent = now.total > 0 ? Math.min(100, Math.floor((now.done / now.total) * 100)) : 100;
      const rate = now.done / megabyte / Math.max(0.001, (at - now.startedAt) / 1_000);
      tell(`Downloading input data: ${now.name} ${percent} % (${rate.toFixed(1)} MB/s)`);
    },
  };
}
