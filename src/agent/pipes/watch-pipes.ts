// Pipe mode: while the program runs, each channel's epochs go into FIFOs <channel>_0, <channel>_1, … (developer guide, "How Amazon SageMaker
// provides training information"), without end. The next FIFO is there once the one before was opened.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
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

const fifoName = (channel: string, epoch: number): string => `${channel}_${epoch}`;

/** Before the release: the first FIFO of every channel. */
export async function makeFirstPipes(plan: ChannelPlan, root: string): Promise<void> {
  const channels = pipeChannels(plan);
  if (channels.length === 0) return;
  mkdirSync(join(root, "input", "data"), { recursive: true });
  const folder = openPipeFolder(root);
  try {
    for (const { name } of channels) await folder.make(fifoName(name, 0));
  } finally {
    folder.close();
  }
}

/** Until the signal aborts. A problem of the data is the task's failure. */
export async function watchPipes(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { connection, clock, log, paths, state } = run;
  try {
    const plan = await untilItWorks("plan", { clock, log, signal }, () => connection.plan(signal));
    if ("failureReason" in plan) throw new StageError(plan.failureReason);
    const folder = openPipeFolder(paths.root);
    try {
      await Promise.all(pipeChannels(plan).map((channel) => feed(run, folder, channel, signal)));
    } finally {
      folder.close();
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

async function feed(run: TaskRun, folder: PipeFolder, channel: PlannedChannel, signal: AbortSignal): Promise<void> {
  const { clock, log, connection, state } = run;
  const sources: EpochSources = {
    open: openResuming(connection, { clock, log, signal }),
    small: (objects) => smallObjects(objects, connection, signal),
  };
  const writer = pipeWriterFor(channel);
  try {
    for (let epoch = state.current.pipes?.[channel.name] ?? 0; ; epoch++) {
      await folder.make(fifoName(channel.name, epoch));
      const pipe = await folder.openForWriting(fifoName(channel.name, epoch), clock, signal);
      // Said before the first byte: should this agent die now, the reader sees an end that is none.
      state.save({ openPipes: { ...state.current.openPipes, [channel.name]: true } });
      await folder.make(fifoName(channel.name, epoch + 1));
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
