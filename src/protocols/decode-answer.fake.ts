// The client's side of every protocol, for tests: reads answers and errors. It leans on the readers that are for requests:
// the forms are the same.
import { AwsError } from "../lib/aws-error.ts";
import type { OperationModel } from "../models/index.ts";
import { decodeCbor } from "./cbor.ts";
import { eventStreamMember } from "./event-stream.ts";
import { jsonReaders } from "./json.ts";
import { isRawPayload } from "./payload.ts";
import { valueReaders } from "./value-reader.ts";
import { readXml } from "./xml-value-reader.ts";
import { parseXml, type XmlElement } from "./xml.ts";

export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array | string | undefined;
}

export interface DecodedError {
  readonly status: number;
  /** Undefined where the answer has no body (HEAD). */
  readonly code: string | undefined;
  readonly message: string;
}

const asIs = (value: unknown): unknown => value;
const jsonReaderOf = jsonReaders();
const cborReaderOf = valueReaders({ timestamp: asIs, blob: asIs });

const textOf = (body: Uint8Array | string): string =>
  typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body);

/** The members that travel in the body; an event stream's events are left out. Throws when the body is not of the output's shape. */
export function decodeAnswer(operation: OperationModel, protocol: string, { body }: { body?: unknown }): unknown {
  const { output: shape } = operation;
  const { payload } = shape;
  if (payload && isRawPayload(payload)) return { [payload.name]: body };
  if (eventStreamMember(operation) || isEmpty(body)) return {};
  if (!(body instanceof Uint8Array) && typeof body !== "string")
    throw new Error(`${operation.name} answered neither bytes nor text`);
  if (protocol === "smithy-rpc-v2-cbor") return cborReaderOf(shape)(decodeCbor(Buffer.from(body))?.value, 0);
  const text = textOf(body);
  if (protocol !== "json" && protocol !== "rest-json") return decodeXml(operation, text);
  const json: unknown = JSON.parse(text);
  return payload ? { [payload.name]: jsonReaderOf(payload.shape)(json, 0) } : jsonReaderOf(shape)(json, 0);
}

const isEmpty = (body: unknown): boolean => body === undefined || (body instanceof Uint8Array && body.length === 0);

function decodeXml({ output: shape, resultWrapper, name }: OperationModel, body: string): unknown {
  const { payload } = shape;
  const root = parseXml(body);
  if (!root) throw new Error(`${name} answered what is no XML: ${body}`);
  const malformed = () => new AwsError("MalformedXML", body);
  if (name === "GetBucketLocation") return root.text === "" ? {} : { LocationConstraint: root.text };
  if (payload) return { [payload.name]: readXml(payload.shape, root, malformed) };
  const result = resultWrapper === undefined ? root : root.children.find((child) => child.name === resultWrapper);
  return result ? readXml(shape, result, malformed) : {};
}

/** Whatever the protocol. Throws when it cannot be read. */
export function decodeError({ status, headers, body = "" }: ReceivedAnswer): DecodedError {
  if (body.length === 0) return { status, code: undefined, message: "" };
  if (headers["smithy-protocol"] === "rpc-v2-cbor") {
    return { status, ...jsonError(decodeCbor(Buffer.from(body))?.value, headers) };
  }
  const text = textOf(body);
  if (text.startsWith("{")) return { status, ...jsonError(JSON.parse(text), headers) };
  const root = parseXml(text);
  if (!root) throw new Error(`${status} with neither JSON nor XML: ${text.slice(0, 200)}`);
  const error = root.name === "Error" ? root : root.children.find(({ name }) => name === "Error");
  const member = (name: string): string | undefined =>
    error?.children.find((child: XmlElement) => child.name === name)?.text;
  return { status, code: member("Code") ?? "", message: member("Message") ?? "" };
}

function jsonError(value: unknown, headers: ReceivedAnswer["headers"]): Omit<DecodedError, "status"> {
  const { __type: type, message, Message } = Object(value) as Readonly<Record<string, unknown>>;
  const named = typeof type === "string" ? type : String(headers["x-amzn-errortype"] ?? "");
  const text = message ?? Message;
  // "namespace#Name:uri": clients cut both off.
  return { code: named.replace(/^.*#/, "").replace(/:.*$/, ""), message: typeof text === "string" ? text : "" };
}
