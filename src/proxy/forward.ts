// One HTTP request of the command, sent on as it came: bytes of path, header values and body untouched (they are signed), both ways
// streaming, 100-continue from end to end.
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "upgrade",
]);

/** Flat list of names and values, without those that concern one connection; repeated headers stay apart. */
export function endToEndHeaders(rawHeaders: readonly string[], besides: readonly string[] = []): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!hopByHop.has(name) && !besides.includes(name)) kept.push(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  return kept;
}

/** Answers for a request that found nobody: the reason as text. */
export function answerProblem(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`${text}\n`);
}

export interface Forwarding {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for 100 Continue before it sends its body. */
  readonly expectsContinue: boolean;
  /** Told when nobody answered; what the client then reads. */
  readonly unreachable: (error: Error) => string;
}

/** Sends the message's body with `asked`, whose headers are set, and its answer back. Never throws. */
export function forward(asked: ClientRequest, { message, response, expectsContinue, unreachable }: Forwarding): void {
  let isBodyWanted = !expectsContinue;
  const sendBody = (): void => {
    message.pipe(asked);
  };
  asked.on("error", (error) => {
    message.unpipe(asked);
    // An answer that came before the whole body was read counts: its connection breaks under the rest.
    if (!response.headersSent) answerProblem(response, 502, unreachable(error));
  });
  asked.once("continue", () => {
    if (!expectsContinue) return;
    isBodyWanted = true;
    response.writeContinue();
    sendBody();
  });
  asked.once("response", (answer) => {
    const isLast = answer.headers.connection?.toLowerCase() === "close" && !message.complete;
    passBack(answer, response, !isBodyWanted || isLast);
    if (isBodyWanted) answer.once("end", () => message.resume());
    else asked.end();
  });
  message.on("error", () => asked.destroy());
  response.on("error", () => asked.destroy());
  response.once("close", () => {
    if (!response.writableFinished) asked.destroy();
  });
  if (expectsContinue) asked.flushHeaders();
  else sendBody();
}

function passBack(answer: IncomingMessage, response: ServerResponse, isLast: boolean): void {
  const headers = endToEndHeaders(answer.rawHeaders, ["transfer-encoding"]);
  // What is left of the body would be read as the next request.
  if (isLast) headers.push("Connection", "close");
  response.sendDate = false;
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  response.flushHeaders();
  answer.on("error", () => response.destroy());
  answer.once("aborted", () => response.destroy());
  answer.pipe(response);
}
