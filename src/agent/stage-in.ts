// Brings a plan's objects into the task's root: channels under input/data, model archives unpacked under model. Repeatable: what a
// killed agent left half done is made anew.
import { chmod, constants, copyFile, mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createWriteStream, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorCode } from "../lib/error-code.ts";
import type { ChannelPlan, PlannedChannel, PlannedObject } from "../task/channel-plan.ts";
import { splitForBinds, type Bind } from "./binds.ts";
import { untilItWorks, type Patience } from "./back-off.ts";
import { lendObjects, openFolders } from "./lend-objects.ts";
import { openPlanned, type OpenObject } from "./planned-bytes.ts";
import { checkTogether, inside, safeParts, StageError } from "./planned-path.ts";
import type { DiskQuota } from "./disk-quota.ts";
import type { Progress } from "./progress.ts";
import { ServerRefusalError, TaskGoneError, type ServerConnection } from "./server-connection.ts";
import { smallObjects, type SmallObjects } from "./small-objects.ts";

export interface StageOptions extends Patience {
  readonly root: string;
  /** Folder for what the program sees read-only, outside of `root`. */
  readonly lent: string;
  readonly connection: ServerConnection;
  readonly progress: Progress;
  /** Of the task's volume; inputs that would go beyond it end the staging. */
  readonly quota: DiskQuota;
  /** Whether the program has mounts of its own. */
  readonly canBind: boolean;
  /** A line for the task's log. */
  readonly tell: (line: string) => void;
}

/** Small files wait on the file system, not on bytes: several at a time. */
const filesAtOnce = 8;

/** Answers what is to be bound when the program starts. Throws StageError with a text for the user when the objects cannot become files. */
export async function stageIn(plan: ChannelPlan, options: StageOptions): Promise<readonly Bind[]> {
  const binds: Bind[] = [];
  for (const channel of plan.channels) binds.push(...(await stageChannel(channel, options)));
  if (plan.modelArchives.length === 0) return binds;
  const folder = join(options.root, "model");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const archive of plan.modelArchives) await unpack(archive, folder, options);
  return binds;
}

const folderName = (channel: PlannedChannel): string => channel.folder ?? `input/data/${channel.name}`;

async function emptyFolder(channel: PlannedChannel, { root }: StageOptions): Promise<string> {
  if (safeParts(channel.name).length > 1)
    throw new StageError(`${JSON.stringify(channel.name)} cannot be a channel's name`);
  const folder = inside(root, folderName(channel));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

async function stageChannel(channel: PlannedChannel, options: StageOptions): Promise<readonly Bind[]> {
  switch (channel.mode) {
    case "File":
      await stageFiles(channel, options);
      return [];
    case "FastFile":
      return stageFastFiles(channel, options);
    case "Mount":
      return stageMount(channel, options);
    case "Stream":
    case "Pipe":
      return [];
  }
}

/** The program finds the folder as it is; where programs have no mounts of their own, by a link. */
async function stageMount(channel: PlannedChannel, options: StageOptions): Promise<readonly Bind[]> {
  const { mount } = channel;
  if (!mount) throw new Error(`the channel ${channel.name} has nothing to mount`);
  const folder = await emptyFolder(channel, options);
  if (options.canBind) return [{ ...mount, to: folderName(channel) }];
  await rm(folder, { recursive: true });
  await symlink(mount.from, folder);
  return [];
}

/** In a folder of its own, bound read-only: objects as links where that can be; else the largest bound over empty files of their names, and the others copied. */
async function stageFastFiles(channel: PlannedChannel, options: StageOptions): Promise<readonly Bind[]> {
  if (!options.canBind) {
    options.tell(`FastFile: the files of the channel ${channel.name} were copied: this machine has no namespaces`);
    await stageFiles(channel, options);
    return [];
  }
  await emptyFolder(channel, options);
  checkPaths(channel);
  const folder = join(options.lent, channel.name);
  await rm(folder, { recursive: true, force: true });
  openFolders()(folder);
  const { bound, copied } = splitForBinds(await lendObjects(channel.objects, folder, options.signal));
  if (copied.length > 0) options.tell(copiesNote(channel, copied));
  const makeFolder = openFolders();
  await bringAll(channel.name, copied, options, async (object, small) => {
    const to = inside(folder, object.path);
    makeFolder(dirname(to));
    await retryingDownload(object, options, () => bring(object, to, options, small));
    // A copy has its file's mode, and a new file what the umask leaves.
    if ("file" in object.source || (process.umask() & 0o444) !== 0) await chmod(to, 0o444);
  });
  for (const { path } of bound) {
    const to = inside(folder, path);
    makeFolder(dirname(to));
    await writeFile(to, "");
  }
  const to = folderName(channel);
  return [
    { from: folder, to, isReadOnly: true },
    ...bound.map(({ path, source }) => ({ from: source.file, to: `${to}/${path}`, isReadOnly: true })),
  ];
}

function copiesNote({ name, objects }: PlannedChannel, copied: readonly PlannedObject[]): string {
  const bytes = copied.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const of = copied.length === objects.length ? "all" : `${copied.length} of the`;
  return `FastFile: ${of} ${objects.length} files of the channel ${name} were copied (${bytes} bytes): they cannot be read where they lie (small objects have no file of their own)`;
}

async function stageFiles(channel: PlannedChannel, options: StageOptions): Promise<void> {
  const folder = await emptyFolder(channel, options);
  checkPaths(channel);
  const makeFolder = openFolders();
  await bringAll(channel.name, channel.objects, options, async (object, small) => {
    const to = inside(folder, object.path);
    makeFolder(dirname(to));
    await retryingDownload(object, options, () => bring(object, to, options, small));
  });
}

function checkPaths({ name, objects }: PlannedChannel): void {
  try {
    checkTogether(objects.map((object) => object.path));
  } catch (error) {
    if (error instanceof StageError) throw new StageError(`Channel ${name}: ${error.message}`);
    throw error;
  }
}

async function bringAll(
  name: string,
  objects: readonly PlannedObject[],
  { progress, signal, connection }: StageOptions,
  bringOne: (object: PlannedObject, small: SmallObjects) => Promise<void>,
): Promise<void> {
  const small = smallObjects(objects, connection, signal);
  progress.start(
    name,
    objects.reduce((sum, object) => sum + object.sizeBytes, 0),
  );
  await eachOf(objects, filesAtOnce, async (object) => {
    signal.throwIfAborted();
    await bringOne(object, small);
  });
}

/** The server may go away in the middle of a download: then the object is brought again, from its start. */
async function retryingDownload(
  object: PlannedObject,
  options: StageOptions,
  attempt: () => Promise<void>,
): Promise<void> {
  if (!("url" in object.source)) await attempt().catch(asStageError(object));
  else await untilItWorks("download", options, attempt, isHopeless).catch(asStageError(object));
}

const socketTrouble = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ERR_STREAM_PREMATURE_CLOSE",
]);
const isHopeless = (error: unknown): boolean => {
  if (error instanceof ServerRefusalError) return error.status < 500;
  return !(socketTrouble.has(errorCode(error) ?? "") || /aborted|did not answer|ended early/.test(String(error)));
};

const asStageError =
  (object: PlannedObject) =>
  (error: unknown): never => {
    if (error instanceof StageError || error instanceof TaskGoneError || errorCode(error) === "ABORT_ERR") throw error;
    if (error instanceof Error && error.name === "AbortError") throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new StageError(`Could not bring in ${object.path}: ${message}`);
  };

async function bring(object: PlannedObject, to: string, options: StageOptions, small: SmallObjects): Promise<void> {
  if ("file" in object.source && !object.isGzip) {
    options.quota.take(object.sizeBytes, object.path);
    await rm(to, { force: true });
    await copyFile(object.source.file, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    options.progress.add(object.sizeBytes);
    return;
  }
  const bytes = await small.take(object);
  if (bytes && !object.isGzip) {
    options.quota.take(bytes.length, object.path);
    // A trip through the thread pool for each of three calls would cost more.
    writeFileSync(to, bytes);
    options.progress.add(bytes.length);
    return;
  }
  const source = bytes ? Readable.from([bytes]) : await openPlanned(object, fromServer(options));
  const stages: NodeJS.ReadWriteStream[] = [countBytes(options.progress)];
  if (object.isGzip) stages.push((await import("node:zlib")).createGunzip());
  const { stream: metered, undo } = options.quota.meter(object.path);
  try {
    await pipeline([source, ...stages, metered, createWriteStream(to)], { signal: options.signal });
  } catch (error) {
    undo();
    throw error;
  }
  if (!object.isGzip) await checkSize(object, to);
}

const fromServer =
  ({ connection, signal }: StageOptions): OpenObject =>
  (url) =>
    connection.object(url, signal);

async function checkSize(object: PlannedObject, path: string): Promise<void> {
  const { size } = await stat(path);
  if (size !== object.sizeBytes) throw new Error(`the object ended early: ${size} of ${object.sizeBytes} bytes`);
}

const countBytes = (progress: Progress): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      progress.add(chunk.length);
      done(null, chunk);
    },
  });

async function unpack(archive: PlannedObject, folder: string, options: StageOptions): Promise<void> {
  const { unpackTarGz } = await import("./tar/unpack-archive.ts");
  options.progress.start("model", archive.sizeBytes);
  await retryingDownload(archive, options, async () => {
    const source = await openPlanned(archive, fromServer(options));
    await unpackTarGz(source.pipe(countBytes(options.progress)), folder, {
      name: archive.path,
      signal: options.signal,
      mostBytes: options.quota.leftBytes,
    });
  });
}

async function eachOf<T>(items: readonly T[], atOnce: number, action: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
