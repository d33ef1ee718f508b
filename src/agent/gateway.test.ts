// What a program can send through its door that the door's own HTTP client would not: nothing of it may end the agent.
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { openGateway } from "./gateway.ts";

/** A server that answers with the method and path, and a gateway before it. */
async function setUp(serverUrl?: () => string): Promise<number> {
  const server = createServer((request, response) => void response.end(`${request.method} ${request.url}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = await openGateway({
    host: "127.0.0.1",
    port: 0,
    token: "token",
    serverUrl: serverUrl ?? (() => `http://127.0.0.1:${port}`),
    clock: systemClock,
    log: silentLog,
    credentials: () => Promise.reject(new Error("not asked for")),
  });
  onTestFinished(async () => {
    gateway.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return gateway.port;
}

/** Everything that comes back until the connection ends. */
const send = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });

test("a request that cannot be sent on is refused, and the next one is served", async () => {
  const port = await setUp();
  const head = "Host: x\r\nConnection: close\r\n";
  const refused = await send(port, `POST /u HTTP/1.1\r\n${head}Trailer: a\r\nContent-Length: 2\r\n\r\nab`);
  expect(refused).toMatch(/^HTTP\/1\.1 400 /);
  expect(await send(port, `GET /next HTTP/1.1\r\n${head}\r\n`)).toContain("GET /next");
});

test("a server whose address cannot be read is a server that is away", async () => {
  const port = await setUp(() => {
    throw new SyntaxError("half a file");
  });
  expect(await send(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 503 /);
});
