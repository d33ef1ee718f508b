import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { openAuthority, type Authority } from "./authority.ts";
import { awsHosts } from "./aws-hosts.ts";
import { credentialsPath, startExecProxy, type ExecProxy } from "./exec-proxy.ts";
import { outward } from "./outward.ts";

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Scene {
  readonly proxy: ExecProxy;
  readonly authority: Authority;
  readonly authorization: string;
}

/** A proxy in front of `salvia`, whose way out is that of `variables`. */
async function scene(
  salvia: RequestListener,
  variables: Record<string, string> = {},
  onServer: (server: Server) => void = () => {},
): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-proxy-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const server = createServer(salvia);
  onServer(server);
  const authority = openAuthority(folder, systemClock, systemRandom);
  const proxy = await startExecProxy({
    serverUrl: `http://127.0.0.1:${await listening(server)}`,
    authority,
    outward: outward(variables),
    user: "salvia",
    password: "secret",
    isAws: awsHosts([".repos.neuron.amazonaws.com"]),
    credentials: async () => ({ AccessKeyId: "ASIA" }),
  });
  onTestFinished(() => proxy.close());
  return { proxy, authority, authorization: `Basic ${Buffer.from("salvia:secret").toString("base64")}` };
}

interface Connected {
  readonly status: number | undefined;
  readonly socket: Socket;
}

const tunnel = ({ proxy, authorization }: Scene, to: string, login = authorization): Promise<Connected> =>
  new Promise((resolve, reject) => {
    const headers = { host: to, "proxy-authorization": login };
    const asked = request({ host: "127.0.0.1", port: proxy.port, method: "CONNECT", path: to, headers });
    asked.once("connect", (answer, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ status: answer.statusCode, socket });
    });
    asked.once("error", reject);
    asked.end();
  });

/** TLS through the proxy, verified against the authority alone. */
async function secured(at: Scene, host: string): Promise<TLSSocket> {
  const { socket } = await tunnel(at, `${host}:443`);
  const secure = connectTls({ socket, servername: host, ca: at.authority.certificate });
  await new Promise<void>((resolve, reject) => {
    secure.once("secureConnect", resolve);
    secure.once("error", reject);
  });
  return secure;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function ask(
  secure: Socket,
  options: { method?: string; path: string; headers: Record<string, string> },
  body?: Buffer,
): Promise<{ status: number | undefined; text: string }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ ...options, createConnection: () => secure });
    asked.once("response", resolve);
    asked.once("error", reject);
    asked.end(body);
  });
  return { status: answer.statusCode, text: await textOf(answer) };
}

test("a host of AWS is answered with its own certificate, and the server hears the name that was called", async () => {
  const at = await scene((message, response) => response.end(`${message.headers.host} ${message.url}`));
  const host = "my.bucket.s3.us-west-2.amazonaws.com";
  const secure = await secured(at, host);
  expect(secure.getPeerCertificate().subjectaltname).toBe(`DNS:${host}`);
  expect(await ask(secure, { path: "/a%2Fb?x=%20", headers: { host } })).toEqual({
    status: 200,
    text: `${host} /a%2Fb?x=%20`,
  });
});

test("whoever does not know the password is refused, in a tunnel and without", async () => {
  const at = await scene((_message, response) => response.end("salvia"));
  const wrong = `Basic ${Buffer.from("salvia:wrong!").toString("base64")}`;
  expect((await tunnel(at, "s3.amazonaws.com:443", wrong)).status).toBe(407);
  const plain = connect(at.proxy.port, "127.0.0.1");
  const path = "http://s3.amazonaws.com/";
  expect(await ask(plain, { path, headers: { host: "s3.amazonaws.com" } })).toMatchObject({ status: 407 });
  expect((await fetch(`http://127.0.0.1:${at.proxy.port}${credentialsPath}`)).status).toBe(401);
});

test("credentials are handed to whoever shows the token", async () => {
  const at = await scene((_message, response) => response.end("salvia"));
  const url = `http://127.0.0.1:${at.proxy.port}${credentialsPath}`;
  const answer = await fetch(url, { headers: { authorization: at.authorization } });
  expect(await answer.json()).toEqual({ AccessKeyId: "ASIA" });
});

test("connections stay open for several requests, and large bodies pass both ways unharmed", async () => {
  const at = await scene((message, response) => void message.pipe(response));
  const host = "s3.us-east-1.amazonaws.com";
  const agent = new SecureAgent({ keepAlive: true, maxSockets: 1 });
  const secure = await secured(at, host);
  let connections = 0;
  agent.createConnection = () => {
    connections++;
    return secure;
  };
  const body = randomBytes(5_000_000);
  const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  for (const isChunked of [true, false]) {
    const headers = isChunked ? { host } : { host, "content-length": String(body.length) };
    const echoed = await new Promise<Buffer>((resolve, reject) => {
      const asked = secureRequest({ agent, host, method: "PUT", path: "/k", headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => resolve(Buffer.concat(chunks)));
      });
      asked.on("error", reject);
      asked.write(body.subarray(0, 1_000));
      asked.end(body.subarray(1_000));
    });
    expect(digest(echoed)).toBe(digest(body));
  }
  expect(connections).toBe(1);
  agent.destroy();
});

test("a client that waits for 100 Continue gets the server's decision", async () => {
  const at = await scene(
    (_message, response) => response.end(),
    {},
    (server) =>
      server.on("checkContinue", (message, response) => {
        if (message.url === "/no") {
          response.writeHead(403).end("not here");
          return;
        }
        response.writeContinue();
        message.pipe(response);
      }),
  );
  const host = "b.s3.amazonaws.com";
  const put = async (path: string): Promise<{ continued: boolean; status: number | undefined; text: string }> => {
    const secure = await secured(at, host);
    let continued = false;
    const headers = { host, expect: "100-continue", "content-length": "4" };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({ method: "PUT", path, headers, createConnection: () => secure });
      asked.once("continue", () => {
        continued = true;
        asked.end("body");
      });
      asked.once("response", resolve);
      asked.once("error", reject);
      asked.flushHeaders();
    });
    const text = await textOf(answer);
    secure.destroy();
    return { continued, status: answer.statusCode, text };
  };
  expect(await put("/yes")).toEqual({ continued: true, status: 200, text: "body" });
  expect(await put("/no")).toEqual({ continued: false, status: 403, text: "not here" });
});

test("an answer that comes piece by piece is passed on piece by piece", async () => {
  let finish = (): void => {};
  const at = await scene((_message, response) => {
    response.write("first");
    finish = () => response.end("last");
  });
  const host = "runtime.sagemaker.us-west-2.amazonaws.com";
  const secure = await secured(at, host);
  const answer = await new Promise<IncomingMessage>((resolve) => {
    request({ path: "/", headers: { host }, createConnection: () => secure }, resolve).end();
  });
  const pieces: string[] = [];
  for await (const piece of answer) {
    pieces.push(String(piece));
    if (pieces.length === 1) finish();
  }
  expect(pieces).toEqual(["first", "last"]);
});

test("a server that is gone is a 502 that says so", async () => {
  const at = await scene((message) => void message.socket.destroy());
  const host = "sts.amazonaws.com";
  const answer = await ask(await secured(at, host), { path: "/", headers: { host } });
  expect(answer.status).toBe(502);
  expect(answer.text).toContain("Salvia server");
});

test("other hosts are reached directly, by tunnel and by plain HTTP", async () => {
  const at = await scene((_message, response) => response.end("salvia"));
  const elsewhere = await listening(createServer((message, response) => response.end(`elsewhere ${message.url}`)));
  const { socket } = await tunnel(at, `127.0.0.1:${elsewhere}`);
  expect((await ask(socket, { path: "/t", headers: { host: "x" } })).text).toBe("elsewhere /t");
  const plain = connect(at.proxy.port, "127.0.0.1");
  const headers = { host: `127.0.0.1:${elsewhere}`, "proxy-authorization": at.authorization };
  expect((await ask(plain, { path: `http://127.0.0.1:${elsewhere}/p`, headers })).text).toBe("elsewhere /p");
  const aws = connect(at.proxy.port, "127.0.0.1");
  const path = "http://b.s3.amazonaws.com/k";
  expect((await ask(aws, { path, headers: { ...headers, host: "b.s3.amazonaws.com" } })).text).toBe("salvia");
});

test("the user's own proxy is asked for other hosts, with its password, and NO_PROXY is honoured", async () => {
  const asked: string[] = [];
  const parent = createServer((message, response) => {
    asked.push(`${message.url} ${message.headers["proxy-authorization"]}`);
    response.end("from the parent");
  });
  parent.on("connect", (message, socket) => {
    asked.push(`CONNECT ${message.url} ${message.headers["proxy-authorization"]}`);
    socket.end("HTTP/1.1 200 ok\r\n\r\nhello");
  });
  const address = `http://me:p%40ss@127.0.0.1:${await listening(parent)}`;
  const at = await scene((_message, response) => response.end("salvia"), {
    HTTPS_PROXY: address,
    http_proxy: address,
    NO_PROXY: "inside.invalid",
  });
  const login = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
  const { socket } = await tunnel(at, "pypi.org:443");
  expect(String((await socket.toArray())[0])).toBe("hello");
  const plain = connect(at.proxy.port, "127.0.0.1");
  const headers = { host: "example.com", "proxy-authorization": at.authorization };
  expect((await ask(plain, { path: "http://example.com/a?b", headers })).text).toBe("from the parent");
  expect((await tunnel(at, "inside.invalid:443")).status).toBe(502);
  await tunnel(at, "pip.repos.neuron.amazonaws.com:443");
  expect(asked).toEqual([
    `CONNECT pypi.org:443 ${login}`,
    `http://example.com/a?b ${login}`,
    `CONNECT pip.repos.neuron.amazonaws.com:443 ${login}`,
  ]);
});

test("closing cuts what is open", async () => {
  const at = await scene(() => {});
  const secure = await secured(at, "s3.amazonaws.com");
  const ended = new Promise((resolve) => secure.once("close", resolve));
  await at.proxy.close();
  await ended;
});
