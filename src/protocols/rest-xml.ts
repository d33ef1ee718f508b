// REST with XML bodies, which is S3: https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html
import { AwsError } from "../lib/aws-error.ts";
import type { OperationModel, Shape } from "../models/index.ts";
import { errorAnswer } from "./error-answer.ts";
import { eventStreamMember, eventStreamResponse, type EventFormat } from "./event-stream.ts";
import { httpInputReaders, type InputErrors } from "./http-input.ts";
import { outputHeaders } from "./http-output.ts";
import { isRawPayload, rawBody, readRawPayload } from "./payload.ts";
import type { Protocol, WireRequest } from "./protocol.ts";
import { hasBodyMembers } from "./rest-json.ts";
import { s3Namespace, s3Roots } from "./s3-names.ts";
import { s3Status } from "./s3-status.ts";
import { isRecord, wrongOutput } from "./value-writer.ts";
import { decodeUtf8 } from "./wire-text.ts";
import { readXml } from "./xml-value-reader.ts";
import { xmlText, XmlWriters } from "./xml-writer.ts";
import { escapeXml, parseXml } from "./xml.ts";

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

const malformedXml = (): AwsError =>
  new AwsError(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

const inputErrors: InputErrors = {
  badUri: () => new AwsError("InvalidURI", "Couldn't parse the specified URI."),
  badValue: ({ wireName, location }, expected, text) =>
    new AwsError("InvalidArgument", `Provided ${wireName} is not ${expected}`, {
      fields: { ArgumentName: wireName, ...(location === "uri" ? {} : { ArgumentValue: text }) },
    }),
};

/** What S3 answers 204 to, and the model 200. */
const emptyAnswers: ReadonlySet<string> = new Set(["PutBucketPolicy", "PutBucketTagging"]);

const statusOf = ({ name, http }: OperationModel): number => (emptyAnswers.has(name) ? 204 : http.responseCode);

export function createRestXml(): Protocol {
  const xml = new XmlWriters();
  const httpReaderOf = httpInputReaders(inputErrors);
  return {
    name: "rest-xml",

    parse: (operation, request) => {
      const input = httpReaderOf(operation)(request);
      const { payload } = operation.input;
      if (payload) {
        const value = isRawPayload(payload)
          ? readRawPayload(payload, request, malformedXml)
          : readDocument(payload.shape, [payload.wireName, payload.shape.name], request);
        if (value !== undefined) input[payload.name] = value;
      } else if (hasBodyMembers(operation.input)) {
        const { inputWrapper, input: shape } = operation;
        Object.assign(input, readDocument(shape, [inputWrapper ?? shape.name], request));
      }
      return input;
    },

    serialize: (operation, output, requestId) => {
      const value = output ?? {};
      if (!isRecord(value)) throw wrongOutput(operation.output, value);
      const headers = { ...outputHeaders(operation, value), ...requestHeaders(requestId) };
      // The model cannot say it: a part of an object is a 206.
      const status = value["ContentRange"] === undefined ? statusOf(operation) : 206;
      const stream = eventStreamMember(operation);
      if (stream) {
        const format = xmlEvents(xml);
        return eventStreamResponse({ operation, stream, output: value, format, headers, protocol: "rest-xml" });
      }
      const { payload } = operation.output;
      if (operation.http.method === "HEAD") return { status, headers, body: undefined };
      if (payload && isRawPayload(payload)) {
        const type = payload.shape.type === "blob" ? "binary/octet-stream" : "application/json";
        return { status, headers: { "content-type": type, ...headers }, body: rawBody(payload, value[payload.name]) };
      }
      const body = document(operation, value, xml);
      if (body === undefined) return { status, headers, body: undefined };
      return { status, headers: { "content-type": "application/xml", ...headers }, body: declaration + body };
    },

    serializeError: (operation, error, requestId) => {
      const { code, status } = errorAnswer(operation?.service, error, "rest-xml");
      const known = error.httpStatus ?? s3Status(code) ?? status;
      const headers = { ...error.headers, ...requestHeaders(requestId) };
      // A HEAD request or an unmodified object has no body to say why.
      if (operation?.http.method === "HEAD" || known === 304) return { status: known, headers, body: undefined };
      return {
        status: known,
        headers: { ...headers, "content-type": "application/xml" },
        body: declaration + errorDocument(code, error, requestId),
      };
    },
  };
}

const requestHeaders = (requestId: string): Record<string, string> => ({
  "x-amz-request-id": requestId,
  "x-amz-id-2": hostId(requestId),
});

/** Clients log it beside the request id; nobody reads anything out of it. */
const hostId = (requestId: string): string => Buffer.from(requestId, "utf8").toString("base64");

function errorDocument(code: string, error: AwsError, requestId: string): string {
  const fields: Readonly<Record<string, string | number | boolean>> = {
    Code: code,
    Message: error.message,
    ...error.fields,
    RequestId: requestId,
    HostId: hostId(requestId),
  };
  const elements = Object.entries(fields).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`);
  return `<Error>${elements.join("")}</Error>`;
}

/** Undefined where there is no body at all. Throws MalformedXML. */
function readDocument(shape: Shape, roots: readonly string[], { body }: WireRequest): unknown {
  if (body.length === 0) return undefined;
  const text = decodeUtf8(body);
  const root = text === undefined ? undefined : parseXml(text);
  if (!root || !roots.includes(root.name)) throw malformedXml();
  return readXml(shape, root, malformedXml);
}

/** The answer's document; undefined for operations that answer headers alone. */
function document(
  operation: OperationModel,
  value: Readonly<Record<string, unknown>>,
  xml: XmlWriters,
): string | undefined {
  const { output, name } = operation;
  const namespace = ` xmlns="${s3Namespace}"`;
  if (output.payload) {
    const { payload } = output;
    const given = value[payload.name];
    if (given === undefined || given === null) return undefined;
    return xml.element(payload.shape, s3Roots.get(name) ?? payload.wireName, given, namespace);
  }
  if (!hasBodyMembers(output)) return undefined;
  const root = s3Roots.get(name) ?? output.name;
  // The one answer without an element around its only member.
  const location = name === "GetBucketLocation" ? output.members.get("LocationConstraint") : undefined;
  if (location) {
    const region = value[location.name] ?? "";
    return `<${root}${namespace}>${escapeXml(xmlText(location.shape, region))}</${root}>`;
  }
  return xml.element(output, root, value, namespace);
}

const xmlEvents = (xml: XmlWriters): EventFormat => ({
  contentType: "text/xml",
  encode: (shape, value) => xml.element(shape, shape.name, value),
});
