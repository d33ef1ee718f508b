// What one epoch of a Pipe channel consists of: its objects one after the other, unpacked, shuffled and wrapped as the channel asks.
import { createGunzip } from "node:zlib";
import { longestRecordBytes, recordHeader, recordPadding } from "../../formats/recordio.ts";
import { seededRandom } from "../../lib/random.ts";
import type { PlannedChannel, PlannedObject } from "../../task/channel-plan.ts";
import { openPlanned, throughStages, type OpenObject } from "../planned-bytes.ts";
import { StageError } from "../planned-path.ts";

const chunkBytes = 1_048_576;

/** A file of this machine: its first bytes, as many as were planned. */
export interface FilePart {
  /** The object's, for messages. */
  readonly path: string;
  readonly file: string;
  readonly sizeBytes: number;
}

export type EpochPart = Uint8Array | FilePart;

export const cutShort = ({ path, sizeBytes }: FilePart): StageError =>
  new StageError(`${path} has changed: it had ${sizeBytes} bytes`);

/** The order of an epoch: another one each time, the same for the same seed (Fisher and Yates). */
export function epochOrder<T>(items: readonly T[], seed: number | undefined, epoch: number): readonly T[] {
  if (seed === undefined) return items;
  const random = seededRandom((seed + epoch * 0x9e3779b1) >>> 0);
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random.fraction() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** Throws StageError for an object that cannot be wrapped or unpacked. */
export async function* epochParts(channel: PlannedChannel, epoch: number, open: OpenObject): AsyncGenerator<EpochPart> {
  for (const group of epochOrder(groupsOf(channel), channel.shuffleSeed, epoch))
    for (const object of group)
      if (channel.isWrapped === true) yield* wrapped(object, open);
      else yield* partsOf(object, open);
}

function partsOf(object: PlannedObject, open: OpenObject): AsyncGenerator<Uint8Array> | readonly FilePart[] {
  const { source, path, sizeBytes, isGzip } = object;
  return "file" in source && !isGzip ? [{ path, file: source.file, sizeBytes }] : contentOf(object, open);
}

function groupsOf({ objects, groupSize = 1 }: PlannedChannel): readonly (readonly PlannedObject[])[] {
  const groups = Math.ceil(objects.length / groupSize);
  return Array.from({ length: groups }, (_, at) => objects.slice(at * groupSize, (at + 1) * groupSize));
}

async function* contentOf(object: PlannedObject, open: OpenObject): AsyncGenerator<Uint8Array> {
  const opened = await openPlanned(object, open);
  const content = throughStages(opened, object.isGzip ? [createGunzip({ chunkSize: chunkBytes })] : []);
  try {
    for await (const chunk of content) yield chunk as Uint8Array;
  } catch (error) {
    const isBroken = error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
    throw isBroken ? new StageError(`${object.path} is no gzip: ${error.message}`) : error;
  } finally {
    content.destroy();
  }
}

/** The object as one RecordIO record. */
async function* wrapped(object: PlannedObject, open: OpenObject): AsyncGenerator<EpochPart> {
  const length = object.isGzip ? await lengthOf(object, open) : object.sizeBytes;
  if (length > longestRecordBytes)
    throw new StageError(
      `${object.path} is too large for a RecordIO record: it has ${length} of at most ${longestRecordBytes} bytes`,
    );
  yield recordHeader(length);
  yield* partsOf(object, open);
  yield* recordPadding(length);
}

/** What is unpacked is counted first: the length stands before the bytes. */
async function lengthOf(object: PlannedObject, open: OpenObject): Promise<number> {
  let length = 0;
  for await (const chunk of contentOf(object, open)) length += chunk.length;
  return length;
}
