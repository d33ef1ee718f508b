// Connections, bodies and what is no HTTP at all, over raw sockets.
import { connect } from "node:net";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { hash } from "node:crypto";
import { systemClock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { amzDate } from "../protocols/signature-v4.ts";
import { signHeaders, type PlainRequest, type SignOptions } from "../protocols/sign-v4.fake.ts";
import { fakeService, region, rootKey, startHttp, type FakeHttp } from "./http.fake.ts";
import { createListener } from "./listener.ts";

interface Received {
  readonly key: string;
  readonly outcome: string;
}

/** Reads bodies to their end and remembers how that went. */
function s3(received: Received[] = []) {
  return fakeService("s3", {
    PutObject: async ({ Key, Body }: { Key: string; Body: Readable }) => {
      try {
        let bytes = 0;
        for await (const chunk of Body as AsyncIterable<Buffer>) bytes += chunk.length;
        received.push({ key: Key, outcome: `${bytes} bytes` });
      } catch (error) {
        received.push({ key: Key, outcome: (error as Error).message });
        throw error;
      }
      return { ETag: '"e"' };
    },
    GetObject: async ({ Key }: { Key: string }) => ({ Body: Readable.from([Buffer.from(`<${Key}>`)]) }),
    HeadObject: async () => ({ ContentLength: 5, ETag: '"e"' }),
    DeleteObject: async () => ({}),
  });
}

function signedText(http: FakeHttp, plain: PlainRequest, more: Partial<SignOptions> = {}, extra = ""): string {
  const options = { ...rootKey, region, service: "s3", at: amzDate(systemClock.now().getTime()), ...more };
  const host = `127.0.0.1:${http.port}`;
  const { method, rawPath, rawQuery, headers } = signHeaders(
    { ...plain, headers: { host, ...plain.headers } },
    options,
  );
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${rawPath}${rawQuery && `?${rawQuery}`} HTTP/1.1\r\nConnection: close\r\n${lines.join("")}${extra}\r\n`;
}

/** The request, on a connection that goes on. */
const kept = (text: string): string => text.replace("Connection: close\r\n", "");

const statusOf = (answer: string): string => answer.slice(9, 12);

test.each([
  ["garbage", "\x00\x01\x02 hello\r\n\r\n", "400"],
  ["TLS spoken to a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"],
  ["no host", "GET /health HTTP/1.1\r\n\r\n", "400"],
  ["a header without colon", "GET / HTTP/1.1\r\nHost: localhost\r\nwrong\r\n\r\n", "400"],
  ["huge headers", `GET / HTTP/1.1\r\nHost: localhost\r\nx: ${"y".repeat(40_000)}\r\n\r\n`, "431"],
  ["a negative length", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "400"],
  ["a length that is no number", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", "400"],
  ["two lengths", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"],
  [
    "length and chunks",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "400",
  ],
  ["another host", "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"],
  ["no path", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"],
  ["a path that does not decode", "GET /b/%zz%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "4"],
  ["a query that does not decode", "GET /b/k?%zz=%ff&=&&& HTTP/1.1\r\nHost: localhost\r\n\r\n", "4"],
  ["doubled slashes", "GET //b//k/../.. HTTP/1.1\r\nHost: localhost\r\n\r\n", "4"],
  ["an unknown method", "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"],
  ["an unknown expectation", "PUT /b/k HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", "417"],
  ["chunks of no size", "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"],
])("%s is answered and the server lives on", async (_, text, status) => {
  const http = await startHttp({ services: [s3()] });
  const answer = await http.raw(
    Buffer.from(text.replace("Host: localhost\r\n", "Host: localhost\r\nConnection: close\r\n"), "latin1"),
  );
  expect(statusOf(answer).startsWith(status)).toBe(true);
  expect((await fetch(`${http.url}/health`)).status).toBe(200);
  expect(http.errors).toEqual([]);
});

test("the absolute form that proxies send is understood", async () => {
  const http = await startHttp();
  expect(statusOf(await http.raw("GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n"))).toBe("200");
});

test("keys arrive decoded once, with dots and slashes as they were", async () => {
  const http = await startHttp({ services: [s3()] });
  for (const [rawPath, key] of [
    ["/b/./dot/../up", "./dot/../up"],
    ["/b//dir//x", "/dir//x"],
    ["/b/%25zz%2B+", "%zz++"],
  ]) {
    const answer = await http.raw(signedText(http, { method: "GET", rawPath: rawPath ?? "" }));
    expect([statusOf(answer), answer.includes(`<${key}>`)]).toEqual(["200", true]);
  }
});

test("HEAD answers headers and the object's length, and no body", async () => {
  const http = await startHttp({ services: [s3()] });
  const answer = await http.raw(signedText(http, { method: "HEAD", rawPath: "/b/k" }));
  expect(statusOf(answer)).toBe("200");
  expect(answer.toLowerCase()).toContain("content-length: 5\r\n");
  expect(answer.endsWith("\r\n\r\n")).toBe(true);
});

const putWaiting = (http: FakeHttp, length: number, more: Partial<SignOptions> = {}): string =>
  signedText(
    http,
    { method: "PUT", rawPath: "/b/k" },
    { payload: "UNSIGNED-PAYLOAD", ...more },
    `Content-Length: ${length}\r\nExpect: 100-continue\r\n`,
  );

test("a client that waits for 100 Continue is let in only after its signature", async () => {
  const http = await startHttp({ services: [s3()] });
  const accepted = await http.raw(kept(putWaiting(http, 3)));
  expect(accepted).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  const refused = await http.raw(kept(putWaiting(http, 3, { secretAccessKey: "x" })));
  expect(statusOf(refused)).toBe("403");
  expect(refused.toLowerCase()).toContain("connection: close");
});

test("a body that is not what was signed fails at its end, on a connection that goes on", async () => {
  const received: Received[] = [];
  const http = await startHttp({ services: [s3(received)] });
  const put = (body: string) =>
    signedText(
      http,
      { method: "PUT", rawPath: "/b/k" },
      { payload: hash("sha256", "right", "hex") },
      `Content-Length: ${body.length}\r\n`,
    ) + body;
  const answer = await http.raw(`${kept(put("wrong"))}${put("right")}`);
  expect(statusOf(answer)).toBe("400");
  expect(answer).toContain("<Code>XAmzContentSHA256Mismatch</Code>");
  expect(answer).toContain("HTTP/1.1 200 OK");
  expect(received.map(({ outcome }) => outcome)).toEqual([expect.stringContaining("does not match"), "5 bytes"]);
});

test("an aws-chunked body without signatures arrives decoded", async () => {
  const received: Received[] = [];
  const http = await startHttp({ services: [s3(received)] });
  const body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
  const headers = {
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "5",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const head = signedText(
    http,
    { method: "PUT", rawPath: "/b/k", headers },
    { payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" },
    `Content-Length: ${body.length}\r\n`,
  );
  expect(statusOf(await http.raw(head + body))).toBe("200");
  expect(received).toEqual([{ key: "k", outcome: "5 bytes" }]);
  const short = head.replace(`Content-Length: ${body.length}`, "Content-Length: 10") + body.slice(0, 10);
  expect(statusOf(await http.raw(short))).toBe("400");
});

test("a client that goes away in the middle of its body fails the reader, not the server", async () => {
  const received: Received[] = [];
  const http = await startHttp({ services: [s3(received)] });
  const socket = connect(http.port, "127.0.0.1");
  const length = "Content-Length: 1000\r\n";
  socket.write(
    `${signedText(http, { method: "PUT", rawPath: "/b/k" }, { payload: "UNSIGNED-PAYLOAD" }, length)}only this`,
    () => setTimeout(() => socket.destroy(), 30),
  );
  await expect.poll(() => received).toHaveLength(1);
  expect(received[0]?.outcome).toContain("Content-Length");
  expect((await fetch(`${http.url}/health`)).status).toBe(200);
  expect(http.errors).toEqual([]);
});

test("a handler hears when its client goes away, and the rest of its answer is let go", async () => {
  let aborted = false;
  let isDestroyed = false;
  const service = fakeService("s3", {
    GetObject: async (_: unknown, ctx) => {
      ctx.signal.addEventListener("abort", () => (aborted = true));
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(65_536));
        },
        destroy(error, done) {
          isDestroyed = true;
          done(error);
        },
      });
      return { Body: endless };
    },
  });
  const http = await startHttp({ services: [service] });
  const socket = connect(http.port, "127.0.0.1");
  socket.once("data", () => socket.destroy());
  socket.write(signedText(http, { method: "GET", rawPath: "/b/k" }));
  await expect.poll(() => [aborted, isDestroyed]).toEqual([true, true]);
  expect(http.errors).toEqual([]);
});

test("a slow reader stops the source of its answer", async () => {
  let producedBytes = 0;
  const service = fakeService("s3", {
    GetObject: async () => ({
      Body: new Readable({
        read() {
          producedBytes += 65_536;
          this.push(producedBytes > 200_000_000 ? null : Buffer.alloc(65_536));
        },
      }),
    }),
  });
  const http = await startHttp({ services: [service] });
  const socket = connect(http.port, "127.0.0.1");
  socket.pause();
  socket.write(signedText(http, { method: "GET", rawPath: "/b/k" }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.destroy();
  expect(producedBytes).toBeGreaterThan(0);
  expect(producedBytes).toBeLessThan(50_000_000);
});

test("an early answer leaves the rest of the body behind and the connection usable", async () => {
  const service = fakeService("s3", {
    PutObject: async () => {
      throw new TypeError("before reading");
    },
    DeleteObject: async () => ({}),
  });
  const http = await startHttp({ services: [service] });
  const length = "Content-Length: 1000000\r\n";
  const put = signedText(http, { method: "PUT", rawPath: "/b/k" }, { payload: "UNSIGNED-PAYLOAD" }, length);
  const next = signedText(http, { method: "DELETE", rawPath: "/b/k" });
  const answer = await http.raw(`${kept(put)}${"x".repeat(1_000_000)}${next}`);
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 500", "HTTP/1.1 204"]);
});

test("closing lets requests under way finish, and cuts off what takes too long", async () => {
  const { promise: go, resolve: release } = Promise.withResolvers<void>();
  const service = fakeService("s3", { DeleteObject: () => go });
  const http = await startHttp({ services: [service] });
  const answer = http.raw(kept(signedText(http, { method: "DELETE", rawPath: "/b/k" })), 5_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = http.close(5_000);
  release();
  expect(statusOf(await answer)).toBe("204");
  await closed;
  const stuck = await startHttp({ services: [fakeService("s3", { DeleteObject: () => new Promise(() => {}) })] });
  const cut = stuck.raw(signedText(stuck, { method: "DELETE", rawPath: "/b/k" }), 5_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await stuck.close(10);
  expect(await cut).toBe("");
});

test("a request that its handler fails to answer at all is answered, and the server goes on", async () => {
  const errors: unknown[] = [];
  const log = { ...silentLog, error: (message: string) => void errors.push(message) };
  const handle = async (): Promise<never> => Promise.reject(new Error("a bug"));
  const listener = createListener({ clock: systemClock, log, allowedHosts: [], handle });
  const { port } = await listener.listen("127.0.0.1", 0);
  onTestFinished(() => listener.close(0));
  for (const path of ["/one", "/two"]) expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(500);
  expect(errors).toEqual(["request not answered", "request not answered"]);
});
