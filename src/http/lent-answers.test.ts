// Bodies whose chunks are only lent, in both directions: nothing of one may be read after its memory was taken back.
import { connect } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { freeChunk, lending, lentChunks } from "../lib/lent-chunks.ts";
import { systemClock } from "../lib/clock.ts";
import { amzDate } from "../protocols/signature-v4.ts";
import { signHeaders } from "../protocols/sign-v4.fake.ts";
import { fakeService, region, rootKey, startHttp, type FakeHandler, type FakeHttp } from "./http.fake.ts";

function signed(
  http: FakeHttp,
  method: string,
  body?: Uint8Array,
): { readonly url: string; readonly init: RequestInit } {
  const options = {
    ...rootKey,
    region,
    service: "s3",
    payload: "UNSIGNED-PAYLOAD",
    at: amzDate(systemClock.now().getTime()),
  };
  const headers = { host: `127.0.0.1:${http.port}` };
  const { headers: sent } = signHeaders({ method, rawPath: "/b/k", headers }, options);
  return { url: `${http.url}/b/k`, init: { method, headers: sent, ...(body ? { body: Buffer.from(body) } : {}) } };
}

const serve = (handlers: Readonly<Record<string, FakeHandler>>): Promise<FakeHttp> =>
  startHttp({ services: [fakeService("s3", handlers)] });

/** Chunk n is full of n; each is freed when the next is asked for. */
function lentBody(count: number, failure?: Error): Readable & { readonly ended: () => boolean } {
  let isEnded = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < count; at++) {
        const chunk = new Uint8Array(300_000).fill(at);
        yield chunk;
        freeChunk(chunk);
      }
      if (failure) throw failure;
    } finally {
      isEnded = true;
    }
  }
  return Object.assign(lending(Readable.from([]), chunks), { ended: () => isEnded });
}

test("an answer of lent chunks arrives byte for byte", async () => {
  const http = await serve({ GetObject: async () => ({ Body: lentBody(20) }) });
  const { url, init } = signed(http, "GET");
  const bytes = Buffer.from(await (await fetch(url, init)).arrayBuffer());
  expect(bytes.length).toBe(20 * 300_000);
  for (let at = 0; at < 20; at++)
    expect(bytes.subarray(at * 300_000, (at + 1) * 300_000).every((b) => b === at)).toBe(true);
});

test("when the client leaves, the lender is told, and nothing counts as an error", async () => {
  const body = lentBody(10_000);
  const http = await serve({ GetObject: async () => ({ Body: body }) });
  const { url, init } = signed(http, "GET");
  const socket = connect(http.port, "127.0.0.1");
  socket.once("data", () => socket.destroy());
  const headers = Object.entries(init.headers as Record<string, string>).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`GET ${new URL(url).pathname} HTTP/1.1\r\n${headers.join("")}\r\n`);
  await expect.poll(() => body.ended()).toBe(true);
  expect(http.errors).toEqual([]);
});

test("a lender that fails cuts the answer off, and the log says why", async () => {
  const http = await serve({ GetObject: async () => ({ Body: lentBody(3, new Error("the disk is gone")) }) });
  const { url, init } = signed(http, "GET");
  await expect(fetch(url, init).then((answer) => answer.arrayBuffer())).rejects.toThrow();
  await expect.poll(() => http.errors.map((line) => line["message"])).toEqual(["answer cut off"]);
});

const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 7) % 253));

test.each([
  [
    "lent",
    async (body: Readable) => {
      const kept: Buffer[] = [];
      for await (const chunk of lentChunks(body)) kept.push(Buffer.from(chunk));
      return Buffer.concat(kept);
    },
  ],
  ["as a stream", (body: Readable) => buffer(body)],
])("a request's body arrives %s byte for byte", async (_, take) => {
  const received: Buffer[] = [];
  const http = await serve({
    PutObject: async ({ Body }: { Body: Readable }) => {
      received.push(await take(Body));
      return { ETag: '"e"' };
    },
  });
  const { url, init } = signed(http, "PUT", sent);
  expect((await fetch(url, init)).status).toBe(200);
  expect(received.map((bytes) => bytes.equals(sent))).toEqual([true]);
});

test("a borrower of a request's body hears when its client leaves", async () => {
  const outcomes: string[] = [];
  const http = await serve({
    PutObject: async ({ Body }: { Body: Readable }) => {
      try {
        for await (const chunk of lentChunks(Body)) outcomes.push(`${chunk.byteLength > 0}`);
      } catch (error) {
        outcomes.push((error as Error).message);
        throw error;
      }
      return { ETag: '"e"' };
    },
  });
  const { url, init } = signed(http, "PUT");
  const socket = connect(http.port, "127.0.0.1");
  const headers = Object.entries(init.headers as Record<string, string>).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`PUT ${new URL(url).pathname} HTTP/1.1\r\ncontent-length: 1000\r\n${headers.join("")}\r\nhalf`);
  await expect.poll(() => outcomes).toEqual(["true"]);
  socket.destroy();
  await expect.poll(() => outcomes.at(-1)).toMatch(/did not provide the number of bytes/);
});
