import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { openResuming } from "./planned-bytes.ts";
import { ServerRefusalError, type ServerConnection } from "./server-connection.ts";

type Answer = Awaited<ReturnType<ServerConnection["object"]>>;

/** A server that dies after so many bytes of each answer. */
function dyingServer(content: Uint8Array, cuts: number[]) {
  const asked: number[] = [];
  const object = async (_url: string, _signal: AbortSignal, fromByte = 0): Promise<Answer> => {
    asked.push(fromByte);
    const cut = cuts.shift();
    const rest = content.subarray(fromByte);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield rest.subarray(0, cut ?? rest.length);
      if (cut !== undefined) throw Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    }
    // Of an answer only its bytes are read.
    return Readable.from(bytes(), { objectMode: false }) as Answer;
  };
  return { object, asked };
}

const patience = () => ({ clock: new FakeClock(), log: silentLog, signal: new AbortController().signal });

test("an object whose server goes away again and again arrives whole, each byte once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(60), { maxLength: 5 }),
      async (content, cuts) => {
        const server = dyingServer(content, [...cuts]);
        const arrived = await buffer(await openResuming(server, patience())("x"));
        expect([...arrived]).toEqual([...content]);
        expect(server.asked).toHaveLength(cuts.length + 1);
      },
    ),
  );
});

test("a server that says no ends it", async () => {
  const refuse = async (): Promise<Answer> => {
    throw new ServerRefusalError(404, "the server answered 404");
  };
  await expect(buffer(await openResuming({ object: refuse }, patience())("x"))).rejects.toThrow("404");
});
