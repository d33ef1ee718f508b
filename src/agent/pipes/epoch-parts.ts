// What one epoch of a Pipe channel consists of: its objects one after the other, unpacked, shuffled and wrapped as the channel asks.
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { longestRecordBytes, recordHeader, recordPadding } from "../../formats/recordio.ts";
import { seededRandom } from "../../lib/random.ts";
import type { PlannedChannel, PlannedObject } from "../../task/channel-plan.ts";
import { openPlanned, throughStages, type OpenObject } from "../planned-bytes.ts";
import { StageError } from "../planned-path.ts";
import type { SmallObjects } from "../small-objects.ts";

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

/** Where the bytes of objects come from that are no files here. */
export interface EpochSources {
  readonly open: OpenObject;
  /** Of the objects in their order. */
  small(objects: Iterable<PlannedObject>): SmallObjects;
}

interface Reading {
  readonly open: OpenObject;
  readonly small: SmallObjects;
}

/** Throws StageError for an object that cannot be wrapped or unpacked. */
export async function* epochParts(
  channel: PlannedChannel,
  epoch: number,
  sources: EpochSources,
): AsyncGenerator<EpochPart> {
  const order = epochOrder(groupsOf(channel), channel.shuffleSeed, epoch);
  const reading = { open: sources.open, small: sources.small(flat(order)) };
  for (const object of flat(order))
    if (channel.isWrapped === true) yield* wrapped(object, reading);
    else yield* partsOf(object, reading);
}

function* flat<T>(groups: readonly (readonly T[])[]): Generator<T> {
  for (const group of groups) yield* group;
}

function partsOf(object: PlannedObject, reading: Reading): AsyncGenerator<Uint8Array> | readonly FilePart[] {
  const { source, path, sizeBytes, isGzip } = object;
  return "file" in source && !isGzip ? [{ path, file: source.file, sizeBytes }] : contentOf(object, reading);
}

function groupsOf({ objects, groupSize = 1 }: PlannedChannel): readonly (readonly PlannedObject[])[] {
  const groups = Math.ceil(objects.length / groupSize);
  return Array.from({ length: groups }, (_, at) => objects.slice(at * groupSize, (at + 1) * groupSize));
}

async function* contentOf(object: PlannedObject, { open, small }: Reading): AsyncGenerator<Uint8Array> {
  const bytes = await small.take(object);
  if (bytes && !object.isGzip) {
    yield bytes;
    return;
  }
  const opened = bytes ? Readable.from([bytes]) : await openPlanned(object, open);
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
async function* wrapped(object: PlannedObject, reading: Reading): AsyncGenerator<EpochPart> {
  const length = object.isGzip ? await lengthOf(object, reading) : object.sizeBytes;
  if (length > longestRecordBytes)
    throw new StageError(
      `${object.path} is too large for a RecordIO record: it has ${length} of at most ${longestRecordBytes} bytes`,
    );
  yield recordHeader(length);
  yield* partsOf(object, reading);
  yield* recordPadding(length);
}

/** What is unpacked is counted first: the length stands before the bytes. */
async function lengthOf(object: PlannedObject, reading: Reading): Promise<number> {
  let length = 0;
  for await (const chunk of contentOf(object, reading)) length += chunk.length;
  return length;
}
