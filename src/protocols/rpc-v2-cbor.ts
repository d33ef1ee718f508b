// Smithy RPC v2 CBOR, which newer clients speak with CloudWatch: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
import { cbor, dateToTag } from "@smithy/core/cbor";
import type { Shape } from "../models/index.ts";
import { decodeCbor } from "./cbor.ts";
import { decodeContent } from "./content-encoding.ts";
import { errorAnswer, errorMembers } from "./error-answer.ts";
import { eventStreamMember, eventStreamResponse, type EventFormat } from "./event-stream.ts";
import type { Protocol } from "./protocol.ts";
import { fromEpochSeconds } from "./timestamps.ts";
import { serializationError, valueReaders, wrongType } from "./value-reader.ts";
import { valueWriters } from "./value-writer.ts";

export function createRpcV2Cbor(): Protocol {
  const readerOf = valueReaders({ timestamp: readTimestamp, blob: readBlob });
  const writerOf = valueWriters({ timestamp: dateToTag, blob: (bytes) => bytes, oddFloat: (value) => value });
  const encode = (shape: Shape, value: unknown): Uint8Array => cbor.serialize(writerOf(shape)(value));
  const events: EventFormat = { contentType: "application/cbor", encode };
  const headersFor = (requestId: string) => ({
    "content-type": "application/cbor",
    "smithy-protocol": "rpc-v2-cbor",
    "x-amzn-requestid": requestId,
  });
  return {
    name: "rpc-v2-cbor",

    parse: (operation, { body, headers }) => {
      const bytes = decodeContent(operation, headers, body);
      const decoded = bytes.length === 0 ? { value: {} } : decodeCbor(bytes);
      if (!decoded) throw serializationError("The request body is not valid CBOR.");
      return readerOf(operation.input)(decoded.value, 0);
    },

    serialize: (operation, output, requestId) => {
      const headers = headersFor(requestId);
      const stream = eventStreamMember(operation);
      if (stream) {
        return eventStreamResponse({ operation, stream, output, format: events, headers, protocol: "rpc-v2-cbor" });
      }
      return { status: 200, headers, body: encode(operation.output, output ?? {}) };
    },

    serializeError: (operation, error, requestId) => {
      const { name, code, status, blame, shape } = errorAnswer(operation?.service, error, "rpc-v2-cbor");
      const compatible = operation?.service.isQueryCompatible ? { "x-amzn-query-error": `${code};${blame}` } : {};
      return {
        status,
        headers: { ...error.headers, ...compatible, ...headersFor(requestId) },
        body: cbor.serialize({ __type: name, ...errorMembers(error, shape) }),
      };
    },
  };
}

function readTimestamp(value: unknown): Date {
  const date =
    value instanceof Date
      ? fromEpochSeconds(value.getTime() / 1000)
      : typeof value === "number"
        ? fromEpochSeconds(value)
        : undefined;
  if (!date) throw wrongType(value, "a Timestamp");
  return date;
}

function readBlob(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrongType(value, "a Blob");
  return value;
}
