// AWS JSON 1.0 and 1.1: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
import type { OperationModel } from "../models/index.ts";
import { errorAnswer, errorMembers } from "./error-answer.ts";
import { eventStreamMember, eventStreamResponse } from "./event-stream.ts";
import { jsonEvents, jsonReaders, jsonWriters, parseJsonBody } from "./json.ts";
import type { Protocol } from "./protocol.ts";
import { decodeContent } from "./content-encoding.ts";

export function createAwsJson(): Protocol {
  const readerOf = jsonReaders();
  const writerOf = jsonWriters();
  const events = jsonEvents(writerOf);
  return {
    name: "aws-json",

    parse: (operation, { body, headers }) =>
      readerOf(operation.input)(parseJsonBody(decodeContent(operation, headers, body)), 0),

    serialize: (operation, output, requestId) => {
      const stream = eventStreamMember(operation);
      if (stream) {
        const headers = { "x-amzn-requestid": requestId };
        return eventStreamResponse({ operation, stream, output, format: events, headers, protocol: "aws-json" });
      }
      return {
        status: 200,
        headers: { "content-type": contentType(operation), "x-amzn-requestid": requestId },
        body: JSON.stringify(writerOf(operation.output)(output ?? {})),
      };
    },

    serializeError: (operation, error, requestId) => {
      const { name, code, status, blame, shape } = errorAnswer(operation?.service, error, "aws-json");
      const compatible = operation?.service.isQueryCompatible ? { "x-amzn-query-error": `${code};${blame}` } : {};
      return {
        status,
        headers: {
          ...error.headers,
          ...compatible,
          "content-type": operation ? contentType(operation) : "application/x-amz-json-1.1",
          "x-amzn-requestid": requestId,
        },
        body: JSON.stringify({ __type: name, ...errorMembers(error, shape) }),
      };
    },
  };
}

const contentType = ({ service }: OperationModel): string => `application/x-amz-json-${service.jsonVersion ?? "1.1"}`;
