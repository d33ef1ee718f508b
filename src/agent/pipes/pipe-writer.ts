// Who writes an epoch into an open FIFO: two ways, one contract (pipe-writer.test.ts).
import type { PlannedChannel } from "../../task/channel-plan.ts";
import type { EpochPart } from "./epoch-parts.ts";
import { socketWriter } from "./socket-writer.ts";
import { canUseThreads, createThreadWriter } from "./thread-writer.ts";

export interface PipeWriter {
  /**
   * True when all is in the FIFO; false when the reader left early, which ends its epoch and is its right. Closes `pipe`. One epoch at a time.
   * Throws what the signal was aborted with, and StageError for a file that is shorter than it was planned.
   */
  write(pipe: number, parts: AsyncIterable<EpochPart>, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

/** What is unpacked, or comes from the server, arrives by the event loop, and leaves by it. */
const isOnDisk = ({ objects }: PlannedChannel): boolean =>
  objects.every(({ source, isGzip }) => !isGzip && !("url" in source));

export const pipeWriterFor = (channel: PlannedChannel): PipeWriter =>
  isOnDisk(channel) && canUseThreads() ? createThreadWriter() : socketWriter;
