// JSON bodies, for aws-json and rest-json alike. Timestamps are epoch seconds unless the model names another form; blobs are base64.
import { AwsError } from "../lib/aws-error.ts";
import type { Shape } from "../models/index.ts";
import type { EventFormat } from "./event-stream.ts";
import { formatTimestamp, fromEpochSeconds, parseTimestamp } from "./timestamps.ts";
import { serializationError, valueReaders, wrongType, type ReadValue } from "./value-reader.ts";
import { valueWriters } from "./value-writer.ts";
import { decodeUtf8 } from "./wire-text.ts";

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

function readTimestamp(value: unknown): Date {
  const date =
    typeof value === "number" ? fromEpochSeconds(value) : typeof value === "string" ? parseTimestamp(value) : undefined;
  if (!date) throw wrongType(value, "a Timestamp");
  return date;
}

function readBlob(value: unknown): Uint8Array {
  if (typeof value !== "string") throw wrongType(value, "a Blob");
  const bytes = decodeBase64(value);
  if (!bytes) throw serializationError("STRING_VALUE can not be converted to a Blob");
  return bytes;
}

/** Undefined if the text is not padded base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  return text.length % 4 === 0 && base64.test(text) ? Buffer.from(text, "base64") : undefined;
}

export const jsonReaders = (): ((shape: Shape) => ReadValue) =>
  valueReaders({ timestamp: readTimestamp, blob: readBlob });

export const jsonWriters = (): ReturnType<typeof valueWriters> =>
  valueWriters({
    timestamp: (date, { timestampFormat = "unixTimestamp" }) =>
      timestampFormat === "unixTimestamp" ? date.getTime() / 1000 : formatTimestamp(date, timestampFormat),
    blob: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
    oddFloat: String,
  });

/** Structures inside an event stream. */
export const jsonEvents = (writerOf: ReturnType<typeof jsonWriters>): EventFormat => ({
  contentType: "application/json",
  encode: (shape, value) => JSON.stringify(writerOf(shape)(value)),
});

/** The body's JSON value; an empty body is an empty object. Throws SerializationException. */
export function parseJsonBody(body: Uint8Array): unknown {
  if (body.length === 0) return {};
  const text = decodeUtf8(body);
  if (text === undefined) throw serializationError("The request body is not valid UTF-8.");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw serializationError("The request body is not valid JSON.");
    throw new AwsError("SerializationException", "The request body cannot be read.");
  }
}
