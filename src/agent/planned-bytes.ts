// The bytes of a planned object: from the plan itself, from a file of this machine, or from the server.
import { createReadStream } from "node:fs";
import { Readable, type Duplex } from "node:stream";
import type { PlannedObject } from "../task/channel-plan.ts";
import { isFinalRefusal, untilItWorks, type Patience } from "./back-off.ts";
import type { ServerConnection } from "./server-connection.ts";

const chunkBytes = 1_048_576;

/** Answers what the server has under an address of a plan. */
export type OpenObject = (url: string) => Promise<Readable>;

/** As it is stored: not unpacked. */
export async function openPlanned({ source }: PlannedObject, open: OpenObject): Promise<Readable> {
  if ("text" in source) return Readable.from([Buffer.from(source.text)]);
  return "file" in source ? createReadStream(source.file, { highWaterMark: chunkBytes }) : await open(source.url);
}

/** The last stage, each fed by the one before: what ends one ends all. */
export function throughStages(first: Readable, stages: readonly Duplex[]): Readable {
  let last = first;
  for (const stage of stages) {
    const before = last;
    before.on("error", (error) => stage.destroy(error));
    stage.on("close", () => before.destroy());
    last = before.pipe(stage);
  }
  return last;
}

/** Goes on at the byte it has come to when the server goes away in the middle: what a plan names never changes. */
export const openResuming =
  (connection: Pick<ServerConnection, "object">, patience: Patience): OpenObject =>
  async (url) =>
    Readable.from(resumed(connection, patience, url), { objectMode: false });

async function* resumed(
  connection: Pick<ServerConnection, "object">,
  patience: Patience,
  url: string,
): AsyncGenerator<Uint8Array> {
  const { signal, log } = patience;
  let at = 0;
  for (;;) {
    const answer = await untilItWorks("object", patience, () => connection.object(url, signal, at));
    try {
      for await (const chunk of answer) {
        at += (chunk as Uint8Array).length;
        yield chunk as Uint8Array;
      }
      return;
    } catch (error) {
      if (signal.aborted || isFinalRefusal(error)) throw error;
      log.warn("an object was cut off", { at, error: error instanceof Error ? error.message : String(error) });
    } finally {
      answer.destroy();
    }
  }
}
