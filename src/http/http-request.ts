// One request as the pipeline sees it, and what it answers.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { escapeBytes } from "../lib/header-text.ts";
import { readMessage, RequestBody, tooLarge, type BodyCheck } from "./request-body.ts";

export interface HttpRequest {
  readonly method: string;
  /** Percent-encoded, without query, as on the wire. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  /** Lower-cased names; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly host: string;
  /** The bucket that the Host header names, if it does. */
  readonly bucket: string | undefined;
  readonly isSecure: boolean;
  readonly remoteAddress: string;
  /** Aborts when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
  readonly hasBody: boolean;
  /** The body as a stream; ask once, and not after `wholeBody`. */
  streamBody(check?: BodyCheck): Readable;
  /** Throws RequestEntityTooLarge beyond `limitBytes`, before reading where Content-Length tells. */
  wholeBody(limitBytes: number): Promise<Uint8Array>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | Readable | undefined;
}

export interface Target {
  readonly rawPath: string;
  readonly rawQuery: string;
}

/** Splits a request target; proxies' absolute form (http://host/path) loses its origin. Undefined for what is no path. */
export function splitTarget(url: string): Target | undefined {
  const target = url.startsWith("/") ? url : url.replace(/^https?:\/\/[^/?#]+(?=$|[/?])/i, "");
  const path = target === "" ? "/" : target.startsWith("?") ? `/${target}` : target;
  if (!path.startsWith("/")) return undefined;
  const question = path.indexOf("?");
  if (question < 0) return { rawPath: path, rawQuery: "" };
  return { rawPath: path.slice(0, question), rawQuery: path.slice(question + 1) };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Node reads header bytes as Latin-1; clients that go beyond ASCII send, and sign, UTF-8. */
function headerText(name: string, value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value;
  try {
    return utf8.decode(Buffer.from(value, "latin1"));
  } catch {
    // Objects give their metadata back byte for byte.
    return name.startsWith("x-amz-meta-") ? escapeBytes(value) : value;
  }
}

export function headersOf(rawHeaders: readonly string[]): Record<string, string> {
  // Without a prototype: names come from the wire.
  const headers = Object.create(null) as Record<string, string>;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = headerText(name, rawHeaders[at + 1] ?? "");
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
  }
  return headers;
}

export interface Arrival {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  readonly headers: Record<string, string>;
  readonly bucket: string | undefined;
  readonly continuation: Continuation;
}

/** Whether the client has been told to send its body (it waits for that only with Expect: 100-continue). */
export interface Continuation {
  isContinued: boolean;
}

export class IncomingRequest implements HttpRequest {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly host: string;
  readonly bucket: string | undefined;
  readonly #arrival: Arrival;
  #abort: AbortController | undefined;
  #body: RequestBody | undefined;

  constructor(arrival: Arrival) {
    this.#arrival = arrival;
    this.method = arrival.message.method ?? "GET";
    this.rawPath = arrival.target.rawPath;
    this.rawQuery = arrival.target.rawQuery;
    this.headers = arrival.headers;
    this.host = arrival.headers["host"] ?? "";
    this.bucket = arrival.bucket;
  }

  get isSecure(): boolean {
    return "encrypted" in this.#arrival.message.socket;
  }

  get remoteAddress(): string {
    return this.#arrival.message.socket.remoteAddress ?? "";
  }

  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    const { response } = this.#arrival;
    const end = (): void => {
      if (!response.writableFinished) abort.abort(new Error("the client went away"));
    };
    if (response.destroyed) end();
    else response.once("close", end);
    return abort.signal;
  }

  get hasBody(): boolean {
    const length = this.headers["content-length"];
    return length === undefined ? this.headers["transfer-encoding"] !== undefined : Number(length) > 0;
  }

  streamBody(check?: BodyCheck): Readable {
    this.#body = new RequestBody(this.#arrival.message, () => this.#continue(), check);
    return this.#body;
  }

  /** Lets go of what nobody has read. */
  discardBody(): void {
    this.#body?.destroy();
  }

  async wholeBody(limitBytes: number): Promise<Uint8Array> {
    if (Number(this.headers["content-length"] ?? 0) > limitBytes) throw tooLarge(limitBytes);
    this.#continue();
    return readMessage(this.#arrival.message, limitBytes);
  }

  #continue(): void {
    const { continuation, response } = this.#arrival;
    if (continuation.isContinued || response.headersSent) return;
    response.writeContinue();
    continuation.isContinued = true;
  }
}
