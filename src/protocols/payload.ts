// A REST operation's body that is one member: a stream, bytes or text. Structures are the protocol's own affair.
import { Readable } from "node:stream";
import type { Member } from "../models/index.ts";
import type { WireRequest, WireResponse } from "./protocol.ts";
import { wrongOutput } from "./value-writer.ts";
import { decodeUtf8 } from "./wire-text.ts";

/** The raw payload's value; undefined where there is no body. `badText` makes the error for what is not UTF-8. */
export function readRawPayload(payload: Member, { body, stream }: WireRequest, badText: () => Error): unknown {
  if (payload.isStreaming) return stream ?? Readable.from(body.length === 0 ? [] : [body]);
  if (payload.shape.type === "blob") return body;
  if (body.length === 0) return undefined;
  const text = decodeUtf8(body);
  if (text === undefined) throw badText();
  return text;
}

/** True for payloads that go out as they are. */
export const isRawPayload = ({ shape }: Member): boolean => shape.type === "blob" || shape.type === "string";

export function rawBody({ shape }: Member, value: unknown): WireResponse["body"] {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" || value instanceof Uint8Array || value instanceof Readable) return value;
  throw wrongOutput(shape, value);
}
