// Pipe mode: while the program runs, each channel's epochs go into FIFOs <channel>_0, <channel>_1, … (developer guide, "How Amazon SageMaker
// provides training information"), without end. The next FIFO is there once the one before was opened.
import { lstatSync, mkdirSync } from "node:fs";
import { join, posix } from "node:path";
import { untilItWorks } from "../back-off.ts";
import { openResuming } from "../planned-bytes.ts";
import { StageError } from "../planned-path.ts";
import { smallObjects } from "../small-objects.ts";
import { nowMs, type TaskRun } from "../task-run.ts";
import type { ChannelPlan, PlannedChannel } from "../../task/channel-plan.ts";
import { epochParts, type EpochSources } from "./epoch-parts.ts";
import { openPipeFolder, type PipeFolder } from "./pipe-folder.ts";
import { pipeWriterFor } from "./pipe-writer.ts";

export const pipeChannels = (plan: ChannelPlan): readonly PlannedChannel[] =>
  plan.channels.filter(({ mode }) => mode === "Pipe");

interface PipePlace {
  /** Of its FIFOs, below the task's root. */
  readonly folder: string;
  readonly fifo: (epoch: number) => string;
}

function placeOf({ name, folder = `input/data/${name}` }: PlannedChannel): PipePlace {
  const base = posix.basename(folder);
  return { folder: posix.dirname(folder), fifo: (epoch) => `${base}_${epoch}` };
}

/** Before the release: the first FIFO of every channel. */
export async function makeFirstPipes(plan: ChannelPlan, root: string): Promise<void> {
  for (const channel of pipeChannels(plan)) {
    const place = placeOf(channel);
    mkdirSync(join(root, place.folder), { recursive: true });
    const first = join(root, place.folder, place.fifo(0));
    if (lstatSync(first, { throwIfNoEntry: false })?.isFIFO() === false)
      throw new StageError(
        `Channel ${channel.name}: its FIFO would be where a file of another lies: /opt/ml/${place.folder}/${place.fifo(0)}`,
      );
    const folder = openPipeFolder(root, place.folder);
    try {
      await folder.make(place.fifo(0));
    } finally {
      folder.close();
    }
  }
}

/** Until the signal aborts. A problem of the data is the task's failure. */
export async function watchPipes(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { connection, clock, log, paths, state } = run;
  try {
    const plan = await untilItWorks("plan", { clock, log, signal }, () => connection.plan(signal));
    if ("failureReason" in plan) throw new StageError(plan.failureReason);
    const folders = openFolders(paths.root, pipeChannels(plan));
    try {
      await Promise.all(folders.map(([channel, folder]) => feed(run, folder, channel, signal)));
    } finally {
      for (const [, folder] of folders) folder.close();
    }
  } catch (error) {
    if (signal.aborted) return;
    const problem = error instanceof StageError ? `ClientError: Data download failed: ${error.message}` : undefined;
    log.error("a pipe failed", { error });
    state.save({
      pipeProblem: problem ?? "InternalServerError: The input data could not be streamed. Please try again.",
    });
  }
}

/** All of them before the first is fed: the program may move them about. */
function openFolders(
  root: string,
  channels: readonly PlannedChannel[],
): readonly (readonly [PlannedChannel, PipeFolder])[] {
  const opened: [PlannedChannel, PipeFolder][] = [];
  try {
    for (const channel of channels) opened.push([channel, openPipeFolder(root, placeOf(channel).folder)]);
    return opened;
  } catch (error) {
    for (const [, folder] of opened) folder.close();
    throw error;
  }
}

async function feed(run: TaskRun, folder: PipeFolder, channel: PlannedChannel, signal: AbortSignal): Promise<void> {
  const { clock, log, connection, state } = run;
  const sources: EpochSources = {
    open: openResuming(connection, { clock, log, signal }),
    small: (objects) => smallObjects(objects, connection, signal),
  };
  const writer = pipeWriterFor(channel);
  const { fifo } = placeOf(channel);
  try {
    for (let epoch = state.current.pipes?.[channel.name] ?? 0; ; epoch++) {
      await folder.make(fifo(epoch));
      const pipe = await folder.openForWriting(fifo(epoch), clock, signal);
      // Said before the first byte: should this agent die now, the reader sees an end that is none.
      state.save({ openPipes: { ...state.current.openPipes, [channel.name]: true } });
      await folder.make(fifo(epoch + 1));
      log.info("an epoch begins", { channel: channel.name, epoch, at: nowMs(run) });
      await writer.write(pipe, epochParts(channel, epoch, sources), signal);
      signal.throwIfAborted();
      state.save({
        pipes: { ...state.current.pipes, [channel.name]: epoch + 1 },
        openPipes: { ...state.current.openPipes, [channel.name]: false },
      });
    }
  } finally {
    writer.close();
  }
}
