// One object through the model: split → batch → invoke, several at a time and in order → assemble.
import type { TransformWork } from "../../task/transform-work.ts";
import type { DataProcessing } from "./data-processing.ts";
import { splitRecords } from "./split-records.ts";

export interface ResolvedWork extends TransformWork {
  readonly strategy: "MultiRecord" | "SingleRecord";
  readonly maxConcurrent: number;
  /** 0: no limit. */
  readonly maxPayloadBytes: number;
}

interface Batch {
  readonly records: readonly Buffer[];
  readonly body: Buffer;
}

/** Batches of at most `maxPayloadBytes`; of one record each where the strategy says so, or where there is no limit. */
export async function* batchesOf(
  source: AsyncIterable<Uint8Array>,
  work: ResolvedWork,
  processing: DataProcessing | undefined,
): AsyncGenerator<Batch> {
  const { strategy, maxPayloadBytes } = work;
  let records: Buffer[] = [];
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = (): Batch => {
    const batch = { records, body: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
    records = [];
    parts = [];
    bytes = 0;
    return batch;
  };
  for await (const record of splitRecords(source, work.splitType, maxPayloadBytes)) {
    const body = processing?.filtered(record) ?? record;
    const isFull = strategy === "SingleRecord" || maxPayloadBytes === 0 || bytes + body.length > maxPayloadBytes;
    if (records.length > 0 && isFull) yield take();
    // Of lines the bytes are copied: a view would keep the whole chunk that it came in.
    records.push(processing ? Buffer.from(record) : empty);
    parts.push(Buffer.from(body));
    bytes += body.length;
  }
  if (records.length > 0) yield take();
}

const empty = Buffer.alloc(0);
const newline = Buffer.from("\n");

/** What an answer becomes in the output. */
function assembled(batch: Batch, answer: Buffer, work: ResolvedWork, processing: DataProcessing | undefined): Buffer {
  if (processing) return processing.results(batch.records, answer);
  if (work.assembleWith === "None" || answer.at(-1) === newline[0]) return answer;
  return Buffer.concat([answer, newline]);
}

/** At most so many requests at the same time, over all objects. */
export interface Turns {
  take<T>(action: () => Promise<T>): Promise<T>;
}

export function createTurns(most: number): Turns {
  let free = most;
  const waiting: (() => void)[] = [];
  return {
    take: async (action) => {
      if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      else free--;
      try {
        return await action();
      } finally {
        const nextOne = waiting.shift();
        if (nextOne) nextOne();
        else free++;
      }
    },
  };
}

/** The output of one object, in the order of its records. */
export async function* transformed(
  source: AsyncIterable<Uint8Array>,
  work: ResolvedWork,
  processing: DataProcessing | undefined,
  invoke: (body: Buffer) => Promise<Buffer>,
): AsyncGenerator<Buffer> {
  const inFlight: Promise<Buffer>[] = [];
  try {
    for await (const batch of batchesOf(source, work, processing)) {
      const result = invoke(batch.body).then((answer) => assembled(batch, answer, work, processing));
      // Its failure is met when its turn comes.
      result.catch(() => undefined);
      inFlight.push(result);
      if (inFlight.length >= work.maxConcurrent) yield await inFlight.shift()!;
    }
    while (inFlight.length > 0) yield await inFlight.shift()!;
  } finally {
    await Promise.allSettled(inFlight);
  }
}
