// Stores the files of a task's upload folders (checkpoints, outputs of processing jobs) as objects of their own: while the program
// runs, those that have changed and rest since; at its end, all that are left. What was stored stands in a log beside the task, so
// that a restarted agent goes on; a file sent twice is the same object.
import { appendFileSync, constants, readlinkSync, realpathSync } from "node:fs";
import { lstat, open, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";
import { Readable } from "node:stream";
import type { Clock } from "../lib/clock.ts";
import { errorCode } from "../lib/error-code.ts";
import type { Log } from "../lib/log.ts";
import { readIfThere } from "../task/task-folder.ts";
import type { UploadFolder } from "../task/upload-folder.ts";
import { untilItWorks } from "./back-off.ts";
import { inside } from "./planned-path.ts";
import { ServerRefusalError, type ServerConnection } from "./server-connection.ts";
import { listForPacking, UnreadableFileError, type PackEntry } from "./tar/pack-folder.ts";

export interface UploadFoldersOptions {
  readonly folders: readonly UploadFolder[];
  /** The task's root, which no file may lie outside of. */
  readonly root: string;
  /** File that remembers what was stored. */
  readonly logFile: string;
  readonly connection: Pick<ServerConnection, "putFile">;
  readonly clock: Clock;
  readonly log: Log;
  /** Something the user should know, as a line of the output. */
  tellUser(text: string): void;
}

export interface FolderUploads {
  /** Before the program starts: what was brought in is stored already. */
  noteRestored(): Promise<void>;
  /** Continuous folders, until the signal aborts. Never throws: what could not be stored is tried again at the end. */
  watch(signal: AbortSignal): Promise<void>;
  /** Everything that is not stored yet; with `hasSucceeded` the EndOfJob folders too. Answers why it could not, for the user. */
  finish(hasSucceeded: boolean, signal: AbortSignal): Promise<string | undefined>;
}

const everyMs = 2_000;
const filesAtOnce = 4;
/** Of the time one look takes: a folder of very many files is looked at less often. */
const restFactor = 10;

/** What a file was like when it was stored: another stamp is another content. */
const stampOf = (stat: { readonly size: number; readonly mtimeMs: number; readonly ino: number }): string =>
  `${stat.size}:${stat.mtimeMs}:${stat.ino}`;

class TaskFolderUploads implements FolderUploads {
  readonly #options: UploadFoldersOptions;
  readonly #stored = new Map<string, string>();
  readonly #leftOut = new Set<string>();
  #refusal: string | undefined;

  constructor(options: UploadFoldersOptions) {
    this.#options = options;
    for (const line of (readIfThere(options.logFile) ?? "").split("\n")) {
      const [name, stamp] = parsedLine(line);
      if (name !== undefined && stamp !== undefined) this.#stored.set(name, stamp);
    }
  }

  async noteRestored(): Promise<void> {
    for (const folder of this.#options.folders)
      for (const entry of await this.#filesOf(folder)) {
        const stat = await lstat(entry.path).catch(() => undefined);
        if (stat) this.#remember(`${folder.name}/${entry.name}`, stampOf(stat));
      }
  }

  async watch(signal: AbortSignal): Promise<void> {
    const { clock, folders } = this.#options;
    const continuous = folders.filter(({ mode }) => mode === "Continuous");
    if (continuous.length === 0) return;
    let seen = new Map<string, string>();
    while (!signal.aborted) {
      const began = clock.monotonicMs();
      try {
        seen = await this.#look(continuous, seen, signal);
      } catch (error) {
        if (!signal.aborted && !isPassing(error)) this.#note(error);
      }
      const tookMs = clock.monotonicMs() - began;
      await clock.sleep(Math.max(everyMs, restFactor * tookMs), signal).catch(() => undefined);
    }
  }

  async finish(hasSucceeded: boolean, signal: AbortSignal): Promise<string | undefined> {
    const wanted = this.#options.folders.filter(({ mode }) => mode === "Continuous" || hasSucceeded);
    this.#refusal = undefined;
    try {
      for (const folder of wanted) await this.#sendAll(folder, signal);
    } catch (error) {
      const isFinal = error instanceof ServerRefusalError || isUnreadable(error);
      if (signal.aborted || !isFinal) throw error;
      this.#refusal ??= messageOf(error);
    }
    return this.#refusal;
  }

  /** Sends what is as it was at the look before; answers what there is now. */
  async #look(
    folders: readonly UploadFolder[],
    before: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<Map<string, string>> {
    const seen = new Map<string, string>();
    for (const folder of folders) {
      const resting: PackEntry[] = [];
      for (const entry of await this.#filesOf(folder)) {
        const stat = await lstat(entry.path).catch(() => undefined);
        if (!stat) continue;
        const name = `${folder.name}/${entry.name}`;
        const stamp = stampOf(stat);
        seen.set(name, stamp);
        if (before.get(name) === stamp && this.#stored.get(name) !== stamp) resting.push(entry);
      }
      await this.#sendEach(folder, resting, signal);
    }
    return seen;
  }

  async #sendAll(folder: UploadFolder, signal: AbortSignal): Promise<void> {
    await this.#sendEach(folder, await this.#filesOf(folder), signal);
  }

  async #filesOf(folder: UploadFolder): Promise<PackEntry[]> {
    const { root } = this.#options;
    const { entries, leftOut } = await listForPacking(inside(root, folder.folder), root);
    const links = entries.filter(({ kind }) => kind === "link").map(({ name }) => name);
    for (const name of [...leftOut, ...links]) {
      const full = `${folder.folder}/${name}`;
      if (this.#leftOut.has(full)) continue;
      this.#leftOut.add(full);
      this.#options.tellUser(`[salvia] ${full} is not stored: it is no plain file of this job`);
    }
    return entries.filter(({ kind }) => kind === "file");
  }

  async #sendEach(folder: UploadFolder, entries: readonly PackEntry[], signal: AbortSignal): Promise<void> {
    const left = entries.values();
    const worker = async (): Promise<void> => {
      for (const entry of left) await this.#send(folder, entry, signal);
    };
    const workers = Array.from({ length: Math.min(filesAtOnce, entries.length) }, worker);
    const failure = (await Promise.allSettled(workers)).find((done) => done.status === "rejected");
    if (failure) throw failure.reason;
  }

  async #send(folder: UploadFolder, entry: PackEntry, signal: AbortSignal): Promise<void> {
    const { connection, clock, log } = this.#options;
    const attempt = async (): Promise<void> => {
      const opened = await openOwn(entry.path, this.#options.root);
      if (!opened) return;
      const { file, size, stamp } = opened;
      const name = `${folder.name}/${entry.name}`;
      try {
        if (this.#stored.get(name) === stamp) return;
        await connection.putFile(folder.name, entry.name, Readable.from(bytesOf(file, size)), size, signal);
        this.#remember(name, stamp);
      } finally {
        await file.close();
      }
    };
    await untilItWorks(`upload of ${folder.folder}`, { clock, log, signal }, attempt, isHopeless);
  }

  #remember(name: string, stamp: string): void {
    this.#stored.set(name, stamp);
    try {
      appendFileSync(this.#options.logFile, `${JSON.stringify([name, stamp])}\n`, { mode: 0o600 });
    } catch (error) {
      // On a full disk a restarted agent sends it once more.
      this.#options.log.warn("what was uploaded could not be noted", { name, error });
    }
  }

  /** Tells the user once per reason; the end says it again if it lasts. */
  #note(error: unknown): void {
    const message = messageOf(error);
    if (this.#refusal === message) return;
    this.#refusal = message;
    this.#options.tellUser(`[salvia] could not store a file: ${message}`);
  }
}

export const folderUploads = (options: UploadFoldersOptions): FolderUploads => new TaskFolderUploads(options);

/** What S3 says of the job's own bucket is for the user as it is. */
function messageOf(error: unknown): string {
  if (error instanceof ServerRefusalError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

const unreadableCodes: ReadonlySet<unknown> = new Set(["EACCES", "EIO", "ENAMETOOLONG", "EPERM"]);
const isUnreadable = (error: unknown): boolean =>
  error instanceof UnreadableFileError || unreadableCodes.has(errorCode(error));
/** A folder that went while it was listed. */
const isPassing = (error: unknown): boolean => error instanceof Error && errorCode(error.cause) === "ENOENT";
const isHopeless = (error: unknown): boolean =>
  isUnreadable(error) || (error instanceof ServerRefusalError && error.status < 500 && error.status !== 429);

function parsedLine(line: string): readonly [string?, string?] {
  try {
    return line === "" ? [] : (JSON.parse(line) as [string, string]);
  } catch {
    return []; // The last line of an agent that was killed while it wrote.
  }
}

interface OwnFile {
  readonly file: FileHandle;
  readonly size: number;
  readonly stamp: string;
}

/**
 * Opens a file of a program that may run at this moment and is not trusted: a folder may have become a link since it was listed, a file
 * a FIFO. Undefined: it is gone, or no plain file inside of the root any more.
 */
async function openOwn(path: string, root: string): Promise<OwnFile | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
  const stat = await file.stat();
  if (stat.isFile() && realPathOf(file, path).startsWith(realpathSync(root) + sep))
    return { file, size: stat.size, stamp: stampOf(stat) };
  await file.close();
  return undefined;
}

/** Where an open file lies, whatever has happened to the folders of its path. */
function realPathOf(file: FileHandle, path: string): string {
  try {
    return readlinkSync(join("/proc/self/fd", String(file.fd)));
  } catch {
    return realpathSync(path); // No /proc: then the program runs as this user, and could read the file itself.
  }
}

async function* bytesOf(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(262_144), 0, Math.min(262_144, size - at), at);
    if (bytesRead === 0) throw new Error("the file became shorter while it was read");
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
