// Keeps the file of a program's output from growing without end: what the server has is cut out of it (a hole, fallocate(1)), while
// the program goes on appending. Offsets stay what they are, and no byte that was not read is touched, as a truncation could.
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import type { Log } from "../lib/log.ts";

/** Smaller pieces are not worth a process. */
const pieceBytes = 32 * 1_048_576;
/** Of every file system we know of. */
const pageBytes = 4_096;

export interface SpareOutput {
  /** Everything before `offset` was read and acknowledged. */
  readUpTo(offset: number): void;
}

export function spareOutput(path: string, log: Log, atLeastBytes: number = pieceBytes): SpareOutput {
  let freedUpTo = 0;
  let isBusy = false;
  let isPossible = true;
  return {
    readUpTo: (offset) => {
      const end = offset - (offset % pageBytes);
      // The program emptied its file: it begins anew.
      if (end < freedUpTo) freedUpTo = 0;
      if (isBusy || !isPossible || end - freedUpTo < atLeastBytes) return;
      // Emptied just now: what lies there is new.
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < end) return;
      isBusy = true;
      const range = ["--punch-hole", "--offset", String(freedUpTo), "--length", String(end - freedUpTo)];
      const child = spawn("fallocate", [...range, path], { stdio: "ignore" });
      const settle = (worked: boolean): void => {
        isBusy = false;
        isPossible = worked;
        if (worked) freedUpTo = end;
        else log.warn("the output's file keeps what was read: fallocate cannot make holes in it", { path });
      };
      child.once("error", () => settle(false));
      child.once("exit", (code) => settle(code === 0));
    },
  };
}
