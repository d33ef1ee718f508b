// The HTTP server: plain node:http, since frameworks rewrite paths that S3 signs. It knows sizes, hosts and connections;
// what a request means is the pipeline's affair.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { hostPolicy, type HostPolicy } from "./host-policy.ts";
import { headersOf, IncomingRequest, splitTarget, type HttpAnswer, type HttpRequest } from "./http-request.ts";
import { Outbox } from "./outbox.ts";
import { writeAnswer, type Outgoing } from "./write-answer.ts";

export interface ListenerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Names, besides loopback and AWS's own, under which the server is called; without port. */
  readonly allowedHosts: readonly string[];
  /** Should not reject; where it does, the client hears 500. */
  handle(request: HttpRequest): Promise<HttpAnswer>;
}

export interface Listener {
  /** Port 0 takes a free one. Rejects with Node's error (EADDRINUSE, …). */
  listen(host: string, port: number): Promise<{ readonly port: number }>;
  /** Takes no new requests, lets those under way finish for `graceMs`, then cuts them off. */
  close(graceMs: number): Promise<void>;
}

const maxHeaderBytes = 32 * 1_024;

const textAnswer = (status: number, text: string): HttpAnswer => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: `${text}\n`,
});

const hostRefused = textAnswer(
  403,
  "This server does not answer to that host name. Call it by 127.0.0.1 or localhost, or start it with --allowed-hosts.",
);

const internalFailure = textAnswer(500, "Internal failure.");

export function createListener(options: ListenerOptions): Listener {
  const server = createServer({
    // Uploads take as long as they take; headers may not.
    requestTimeout: 0,
    headersTimeout: 60_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: maxHeaderBytes,
    noDelay: true,
  });
  const answers = new Answers(options);
  server.on("request", (message, response) => void answers.answer(message, response, false));
  server.on("checkContinue", (message, response) => void answers.answer(message, response, true));
  server.on("checkExpectation", (message, response) => {
    writeAnswer(
      { message, response, continuation: { isContinued: false } },
      textAnswer(417, "Only 100-continue is understood."),
      () => {},
    );
  });
  server.on("clientError", refuseMalformed);
  return {
    listen: (host, port) => listenOn(server, host, port),
    close: (graceMs) => closeServer(server, options.clock, graceMs),
  };
}

class Answers {
  readonly #options: ListenerOptions;
  readonly #hosts: HostPolicy;
  readonly #outbox = new Outbox();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#hosts = hostPolicy(options.allowedHosts);
  }

  async answer(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    // The socket's errors end the request; whoever reads the body learns of it by "close".
    message.on("error", ignore);
    response.on("error", ignore);
    const outgoing: Outgoing = { message, response, continuation: { isContinued: !expectsContinue } };
    const { log } = this.#options;
    // Nobody awaits this method: what it threw would end the server.
    const answer = await this.#answerTo(outgoing).catch((error: unknown) => {
      log.error("request not answered", { url: message.url, error });
      return internalFailure;
    });
    this.#outbox.post(() => this.#write(outgoing, answer));
  }

  #write(outgoing: Outgoing, answer: HttpAnswer): void {
    const { message, response } = outgoing;
    const { log } = this.#options;
    const onBodyError = (error: Error): void => log.error("answer cut off", { url: message.url, error });
    try {
      writeAnswer(outgoing, answer, onBodyError);
    } catch (error) {
      log.error("answer could not be written", { url: message.url, error });
      if (response.headersSent) response.destroy();
      else writeAnswer(outgoing, internalFailure, onBodyError);
    }
  }

  async #answerTo(outgoing: Outgoing): Promise<HttpAnswer> {
    const { message } = outgoing;
    const headers = headersOf(message.rawHeaders);
    const target = splitTarget(message.url ?? "");
    if (!target) return textAnswer(400, "The request target is no path.");
    const { isAllowed, bucket } = this.#hosts(headers["host"] ?? "");
    if (!isAllowed) return hostRefused;
    const request = new IncomingRequest({ ...outgoing, target, headers, bucket });
    const answer = await this.#options.handle(request);
    request.discardBody();
    return answer;
  }
}

const ignore = (): void => {};

const malformedStatus: ReadonlyMap<string, string> = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "413 Payload Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

/** What is no HTTP request gets a short answer and a closed connection. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = malformedStatus.get(error.code ?? "") ?? "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

function listenOn(server: Server, host: string, port: number): Promise<{ readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1_024 }, () => {
      server.off("error", reject);
      // A TCP server's address is an AddressInfo.
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}

async function closeServer(server: Server, clock: Clock, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection becomes idle when its last answer is out, and its client may keep it for long.
  const stopSweeping = clock.every(20, () => server.closeIdleConnections());
  server.closeIdleConnections();
  const waiting = new AbortController();
  const timeUp = clock.sleep(graceMs, waiting.signal).then(
    () => server.closeAllConnections(),
    () => {},
  );
  await closed;
  stopSweeping();
  waiting.abort();
  await timeUp;
}
