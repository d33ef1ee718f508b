// The bytes of one epoch of a Pipe channel: its objects one after the other, unpacked, shuffled and wrapped as the channel asks.
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { seededRandom } from "../../lib/random.ts";
import type { PlannedChannel, PlannedObject } from "../../task/channel-plan.ts";
import { StageError } from "../planned-path.ts";

export type OpenObject = (url: string) => Promise<Readable>;

const chunkBytes = 1_048_576;
const magic = 0xced7230a;
/** Three bits of a record's length are flags. */
const longestRecord = 0x1fff_ffff;

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
export async function* epochBytes(
  channel: PlannedChannel,
  epoch: number,
  open: OpenObject,
): AsyncGenerator<Uint8Array> {
  for (const object of epochOrder(channel.objects, channel.shuffleSeed, epoch)) {
    if (channel.isWrapped === true) yield* wrapped(object, open);
    else yield* contentOf(object, open);
  }
}

async function* contentOf({ source, isGzip, path }: PlannedObject, open: OpenObject): AsyncGenerator<Uint8Array> {
  const opened: Readable =
    "file" in source ? createReadStream(source.file, { highWaterMark: chunkBytes }) : await open(source.url);
  const gunzip = isGzip ? createGunzip({ chunkSize: chunkBytes }) : undefined;
  if (gunzip) {
    opened.on("error", (error) => gunzip.destroy(error));
    opened.pipe(gunzip);
  }
  try {
    for await (const chunk of gunzip ?? opened) yield chunk as Uint8Array;
  } catch (error) {
    const isBroken = error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
    throw isBroken ? new StageError(`${path} is no gzip: ${error.message}`) : error;
  } finally {
    opened.destroy();
    gunzip?.destroy();
  }
}

/** A RecordIO record: magic, length, payload, zeros to four bytes. */
async function* wrapped(object: PlannedObject, open: OpenObject): AsyncGenerator<Uint8Array> {
  const length = object.isGzip ? await lengthOf(object, open) : object.sizeBytes;
  if (length > longestRecord)
    throw new StageError(
      `${object.path} is too large for a RecordIO record: it has ${length} of at most ${longestRecord} bytes`,
    );
  const head = Buffer.alloc(8);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(length, 4);
  yield head;
  yield* contentOf(object, open);
  if (length % 4 !== 0) yield Buffer.alloc(4 - (length % 4));
}

/** What is unpacked is counted first: the length stands before the bytes. */
async function lengthOf(object: PlannedObject, open: OpenObject): Promise<number> {
  let length = 0;
  for await (const chunk of contentOf(object, open)) length += chunk.length;
  return length;
}
