// Small objects of the server, many with one request: for each alone the request would cost more than its bytes.
import type { PlannedObject } from "../task/channel-plan.ts";
import { ServerRefusalError, type ServerConnection } from "./server-connection.ts";

const smallBytes = 32 * 1_024;
const mostObjects = 256;
const mostBatchBytes = 1_048_576;
/** Several objects are brought at a time, so that not all of a batch are taken before the next one is asked for. */
const keptBatches = 3;

type RemoteObject = PlannedObject & { readonly source: { readonly url: string } };

const isSmall = (object: PlannedObject): object is RemoteObject =>
  "url" in object.source && object.sizeBytes <= smallBytes;

interface Batch {
  readonly places: ReadonlyMap<string, number>;
  readonly bytes: Promise<readonly Buffer[]>;
}

export interface SmallObjects {
  /** As it is stored. Undefined: this one is to be asked for alone, since it is not small, comes out of turn, or its batch has failed. */
  take(object: PlannedObject): Promise<Buffer | undefined>;
}

class Batches implements SmallObjects {
  readonly #connection: Pick<ServerConnection, "objects">;
  readonly #signal: AbortSignal;
  readonly #left: Iterator<PlannedObject>;
  #recent: Batch[] = [];
  #isRefused = false;

  constructor(objects: Iterable<PlannedObject>, connection: Pick<ServerConnection, "objects">, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
    this.#left = objects[Symbol.iterator]();
  }

  async take(object: PlannedObject): Promise<Buffer | undefined> {
    if (!isSmall(object) || this.#isRefused) return undefined;
    const { url } = object.source;
    const batch = this.#recent.find(({ places }) => places.has(url)) ?? this.#next();
    const place = batch?.places.get(url);
    if (batch === undefined || place === undefined) return undefined;
    try {
      return (await batch.bytes)[place];
    } catch (error) {
      // Asked for alone, it is waited for, or its problem told with its name.
      this.#isRefused ||= error instanceof ServerRefusalError && error.status < 500;
      this.#recent = this.#recent.filter((other) => other !== batch);
      this.#signal.throwIfAborted();
      return undefined;
    }
  }

  #next(): Batch | undefined {
    const objects: RemoteObject[] = [];
    let bytes = 0;
    while (objects.length < mostObjects && bytes < mostBatchBytes) {
      const { done, value } = this.#left.next();
      if (done === true) break;
      if (!isSmall(value)) continue;
      objects.push(value);
      bytes += value.sizeBytes;
    }
    if (objects.length === 0) return undefined;
    const batch = {
      places: new Map(objects.map(({ source }, place) => [source.url, place])),
      bytes: this.#connection.objects(objects, this.#signal),
    };
    // Whoever takes from it sees the failure.
    batch.bytes.catch(() => undefined);
    this.#recent = [...this.#recent, batch].slice(-keptBatches);
    return batch;
  }
}

/** `objects`: in the order in which they will be taken, more or less. */
export const smallObjects = (
  objects: Iterable<PlannedObject>,
  connection: Pick<ServerConnection, "objects">,
  signal: AbortSignal,
): SmallObjects => new Batches(objects, connection, signal);
