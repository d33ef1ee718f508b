// Sends an answer: length where it is known, backpressure where it streams, nothing after HEAD.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable, pipeline } from "node:stream";
import { isLender, lentChunks } from "../lib/lent-chunks.ts";
import { hasEscapedBytes, unescapeBytes } from "../lib/header-text.ts";
import type { Continuation, HttpAnswer } from "./http-request.ts";

/** Bodies up to this size are read to their end after an early answer, so that the connection can be used again. */
const maxDrainBytes = 64 * 1_024 * 1_024;

/** Header bytes are Latin-1 to Node: text beyond ASCII goes out as UTF-8. */
const headerValue = (value: string): string => (hasEscapedBytes(value) ? unescapeBytes(value) : utf8Value(value));

const utf8Value = (value: string): string =>
  // oxlint-disable-next-line no-control-regex -- ASCII is what needs no change
  /[^\x00-\x7f]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;

function wireHeaders(answer: HttpAnswer, closes: boolean): Record<string, string | number> {
  const headers: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(answer.headers)) headers[name] = headerValue(value);
  const { body, status } = answer;
  const hasNoBody = status === 204 || status === 304;
  if (!(body instanceof Readable) && !hasNoBody && headers["content-length"] === undefined) {
    headers["content-length"] = body === undefined ? 0 : Buffer.byteLength(body);
  }
  if (closes) headers["connection"] = "close";
  return headers;
}

/** True where the rest of the request is not worth reading, or will never come. */
function mustClose(message: IncomingMessage, { isContinued }: Continuation): boolean {
  if (message.complete) return false;
  return !isContinued || Number(message.headers["content-length"] ?? 0) > maxDrainBytes;
}

export interface Outgoing {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly continuation: Continuation;
}

/** Throws, with nothing sent, if a header cannot be written. `onBodyError` hears why a stream was cut off. */
export function writeAnswer(outgoing: Outgoing, answer: HttpAnswer, onBodyError: (error: Error) => void): void {
  const { message, response, continuation } = outgoing;
  const { body } = answer;
  if (response.destroyed) {
    if (body instanceof Readable) body.destroy();
    return;
  }
  const closes = mustClose(message, continuation);
  response.writeHead(answer.status, wireHeaders(answer, closes));
  if (!message.complete && !closes) message.resume();
  if (!(body instanceof Readable)) {
    response.end(body);
    return;
  }
  if (message.method === "HEAD") {
    body.destroy();
    response.end();
    return;
  }
  if (isLender(body)) {
    sendLent(body, response).catch((error: unknown) => {
      response.destroy();
      onBodyError(error instanceof Error ? error : new Error(String(error)));
    });
    return;
  }
  pipeline(body, response, (error) => {
    // A client that leaves in the middle is no error of ours.
    if (error && error.code !== "ERR_STREAM_PREMATURE_CLOSE") onBodyError(error);
  });
}

/** Chunk by chunk, each gone before its memory is taken back. Returns early when the client leaves. */
async function sendLent(body: Readable, response: ServerResponse): Promise<void> {
  const left = new Promise<"left">((resolve) => response.once("close", () => resolve("left")));
  for await (const chunk of lentChunks(body)) {
    const sent = new Promise<"sent" | "left">((resolve) => {
      response.write(chunk, (error) => resolve(error ? "left" : "sent"));
    });
    if ((await Promise.race([sent, left])) === "left") return;
  }
  response.end();
}
