// A folder of a task's FIFOs, such as /opt/ml/input/data. The program owns it and may run at this moment: everything goes through a handle of
// the folder that was opened once, so that no link put in its place leads anywhere else.
import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync, realpathSync, unlinkSync } from "node:fs";
import { spawn } from "node:child_process";
import { join, sep } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { errorCode } from "../../lib/error-code.ts";
import { findSystemProgram } from "../../lib/probe-namespaces.ts";
import { StageError } from "../planned-path.ts";

export interface PipeFolder {
  /** Makes a FIFO that any user may read; one that is there stays. */
  make(name: string): Promise<void>;
  /** Waits until somebody has opened it for reading. Never blocks a thread: an open that waits would freeze all of libuv's file work. */
  openForWriting(name: string, clock: Clock, signal: AbortSignal): Promise<number>;
  remove(name: string): void;
  close(): void;
}

const lookEveryMs = 10;
/** Most readers come right after the program's start, or the end of the epoch before. */
const firstLooks = 100;
const firstLookEveryMs = 1;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** `below`: the folder's path in the root. Throws StageError where it is no folder inside of the root, or the machine has no FIFOs. */
export function openPipeFolder(root: string, below: string): PipeFolder {
  const handle = openSync(join(root, below), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const view = `/proc/${process.pid}/fd/${handle}`;
  const hasProc = existsSync(view);
  // Without /proc the program runs as this user: nothing is gained by a link.
  const folder = hasProc ? view : join(root, below);
  const real = hasProc ? readlinkSync(view) : realpathSync(folder);
  if (!real.startsWith(realpathSync(root) + sep)) {
    closeSync(handle);
    throw new StageError(`/opt/ml/${below} is no folder of this job any more`);
  }
  return {
    make: (name) => makeFifo(join(folder, name)),
    openForWriting: async (name, clock, signal) => {
      for (let look = 0; ; look++) {
        signal.throwIfAborted();
        const opened = tryOpen(join(folder, name));
        if (opened !== undefined) return opened;
        await clock.sleep(look < firstLooks ? firstLookEveryMs : lookEveryMs, signal);
      }
    },
    remove: (name) => {
      try {
        unlinkSync(join(folder, name));
      } catch (error) {
        if (errorCode(error) !== "ENOENT") throw error;
      }
    },
    close: () => closeSync(handle),
  };
}

async function makeFifo(path: string): Promise<void> {
  if (existsSync(path)) return;
  const program = findSystemProgram("mkfifo");
  if (program === undefined) throw new StageError("Pipe mode needs mkfifo, which this machine does not have");
  const child = spawn(program, ["-m", "666", path], { stdio: "ignore" });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0 && !existsSync(path)) throw new StageError("A FIFO of Pipe mode could not be made");
}

/** Undefined: nobody reads yet. */
function tryOpen(path: string): number | undefined {
  let file: number;
  try {
    file = openSync(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    if (errorCode(error) === "ENXIO") return undefined;
    // The program has put something else in its place.
    if (["ENOENT", "ELOOP", "EISDIR", "EACCES"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
  if (fstatSync(file).isFIFO()) return file;
  closeSync(file);
  return undefined;
}
