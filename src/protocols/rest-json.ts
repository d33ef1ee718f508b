// REST with JSON bodies: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
import type { Member, OperationModel, Shape } from "../models/index.ts";
import { errorAnswer, errorMembers } from "./error-answer.ts";
import { eventStreamMember, eventStreamResponse } from "./event-stream.ts";
import { httpInputReaders, type InputErrors } from "./http-input.ts";
import { outputHeaders, safeHeader } from "./http-output.ts";
import { jsonEvents, jsonReaders, jsonWriters, parseJsonBody } from "./json.ts";
import { isRawPayload, rawBody, readRawPayload } from "./payload.ts";
import type { Protocol, WireRequest, WireResponse } from "./protocol.ts";
import { serializationError, type ReadValue } from "./value-reader.ts";
import { isRecord, wrongOutput, type WriteValue } from "./value-writer.ts";

const inputErrors: InputErrors = {
  badUri: () => serializationError("The request's path or query is not well-formed."),
  badValue: (_member, expected) => serializationError(`STRING_VALUE can not be converted to ${expected}`),
};

export function createRestJson(): Protocol {
  const readerOf = jsonReaders();
  const writerOf = jsonWriters();
  const httpReaderOf = httpInputReaders(inputErrors);
  return {
    name: "rest-json",
    parse: (operation, request) => {
      const input = httpReaderOf(operation)(request);
      const { payload } = operation.input;
      if (payload) {
        const value = readPayload(payload, request, readerOf);
        if (value !== undefined && value !== null) input[payload.name] = value;
      } else if (hasBodyMembers(operation.input)) {
        Object.assign(input, readerOf(operation.input)(parseJsonBody(request.body), 0));
      }
      return input;
    },
    serialize: (operation, output, requestId) => serialize(operation, output ?? {}, requestId, writerOf),
    serializeError: (operation, error, requestId) => {
      const { name, status, shape } = errorAnswer(operation?.service, error, "rest-json");
      const headers = {
        ...error.headers,
        "content-type": "application/json",
        "x-amzn-errortype": safeHeader(name),
        "x-amzn-requestid": requestId,
      };
      const isHead = operation?.http.method === "HEAD";
      return { status, headers, body: isHead ? undefined : JSON.stringify(errorMembers(error, shape)) };
    },
  };
}

function readPayload(payload: Member, request: WireRequest, readerOf: (shape: Shape) => ReadValue): unknown {
  if (isRawPayload(payload)) {
    return readRawPayload(payload, request, () => serializationError("The request body is not valid UTF-8."));
  }
  return request.body.length > 0 ? readerOf(payload.shape)(parseJsonBody(request.body), 0) : undefined;
}

function serialize(
  operation: OperationModel,
  output: unknown,
  requestId: string,
  writerOf: (shape: Shape) => WriteValue,
): WireResponse {
  if (!isRecord(output)) throw wrongOutput(operation.output, output);
  const headers = { ...outputHeaders(operation, output), "x-amzn-requestid": requestId };
  const stream = eventStreamMember(operation);
  if (stream) {
    return eventStreamResponse({
      operation,
      stream,
      output,
      format: jsonEvents(writerOf),
      headers,
      protocol: "rest-json",
    });
  }
  const { payload } = operation.output;
  const status = operation.http.responseCode;
  if (payload && isRawPayload(payload)) {
    const type = payload.shape.type === "blob" ? "application/octet-stream" : "text/plain";
    return { status, headers: { "content-type": type, ...headers }, body: rawBody(payload, output[payload.name]) };
  }
  if (!payload && !hasBodyMembers(operation.output)) return { status, headers, body: undefined };
  const json = payload ? writerOf(payload.shape)(output[payload.name] ?? {}) : writerOf(operation.output)(output);
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(json) };
}

/** Whether anything of the structure is in the body, rather than in path, query or headers. */
export function hasBodyMembers({ members }: OperationModel["input"]): boolean {
  for (const { location } of members.values()) if (location === "body") return true;
  return false;
}
