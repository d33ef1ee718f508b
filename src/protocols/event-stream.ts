// Event streams in answers: https://smithy.io/2.0/aws/amazon-eventstream.html. One frame per event, encoded as it comes.
import { Readable } from "node:stream";
import { EventStreamCodec } from "@smithy/core/event-streams";
import { AwsError } from "../lib/aws-error.ts";
import type { Member, OperationModel, Shape, StructureShape } from "../models/index.ts";
import { errorAnswer } from "./error-answer.ts";
import type { Protocol, WireResponse } from "./protocol.ts";
import { isRecord, wrongOutput } from "./value-writer.ts";

/** How the protocol around the stream writes a structure. */
export interface EventFormat {
  readonly contentType: string;
  encode(shape: Shape, value: unknown): string | Uint8Array;
}

export interface EventStreamAnswer {
  readonly operation: OperationModel;
  readonly stream: Member;
  /** The whole output; its stream member is an AsyncIterable of events, each with one member of the union set. */
  readonly output: unknown;
  readonly format: EventFormat;
  readonly headers: Record<string, string>;
  readonly protocol: Protocol["name"];
}

/** The output's member that is a stream of events. */
export function eventStreamMember({ output }: OperationModel): Member | undefined {
  for (const member of output.members.values()) {
    if (member.shape.type === "structure" && member.shape.isEventStream) return member;
  }
  return undefined;
}

/**
 * A response whose body yields frames. An AwsError thrown by the events ends the stream with an exception frame; any other
 * error ends it with an error frame and then fails the body, so that whoever sends it can log it.
 */
export function eventStreamResponse(answer: EventStreamAnswer): WireResponse {
  const headers = { ...answer.headers, "content-type": "application/vnd.amazon.eventstream" };
  return {
    status: answer.operation.http.responseCode,
    headers,
    body: Readable.from(frames(answer), { objectMode: false }),
  };
}

async function* frames(answer: EventStreamAnswer): AsyncGenerator<Uint8Array> {
  const { operation, stream, output, format, protocol } = answer;
  if (!isRecord(output)) throw wrongOutput(operation.output, output);
  const codec = new EventStreamCodec(
    (bytes) => Buffer.from(bytes).toString("utf8"),
    (text) => Buffer.from(text, "utf8"),
  );
  const frame = (headers: Readonly<Record<string, string>>, body: string | Uint8Array = "") =>
    codec.encode({
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { type: "string", value }])),
      body: typeof body === "string" ? Buffer.from(body, "utf8") : body,
    });
  if (protocol === "aws-json" || protocol === "rpc-v2-cbor") {
    // RPC answers have no HTTP headers to carry the other members: they go ahead in a message of their own.
    const { [stream.name]: _events, ...others } = output;
    const headers = {
      ":message-type": "event",
      ":event-type": "initial-response",
      ":content-type": format.contentType,
    };
    yield frame(headers, format.encode(operation.output, others));
  }
  try {
    for await (const event of eventsOf(stream, output[stream.name])) yield eventFrame(stream, event, format, frame);
  } catch (error) {
    yield errorFrame(answer, error, frame);
    if (!(error instanceof AwsError)) throw error;
  }
}

type Frame = (headers: Readonly<Record<string, string>>, body?: string | Uint8Array) => Uint8Array;

function eventsOf(stream: Member, events: unknown): AsyncIterable<unknown> {
  if (typeof events !== "object" || events === null || !(Symbol.asyncIterator in events)) {
    throw wrongOutput(stream.shape, events);
  }
  // Checked one line above; TypeScript does not carry `in` on a symbol over to the interface.
  return events as AsyncIterable<unknown>;
}

function eventFrame(stream: Member, event: unknown, format: EventFormat, frame: Frame): Uint8Array {
  if (!isRecord(event) || stream.shape.type !== "structure") throw wrongOutput(stream.shape, event);
  for (const member of stream.shape.members.values()) {
    const value = event[member.name];
    if (value === undefined || value === null || member.shape.type !== "structure") continue;
    const headers = { ":message-type": "event", ":event-type": member.wireName };
    const { contentType, body } = eventBody(member.shape, value, format);
    return contentType === undefined ? frame(headers) : frame({ ...headers, ":content-type": contentType }, body);
  }
  throw wrongOutput(stream.shape, event);
}

interface EventBody {
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
}

function eventBody(shape: StructureShape, value: unknown, format: EventFormat): EventBody {
  const payload = [...shape.members.values()].find((member) => member.isEventPayload);
  if (!payload)
    return shape.members.size === 0 ? {} : { contentType: format.contentType, body: format.encode(shape, value) };
  const inner = isRecord(value) ? value[payload.name] : undefined;
  if (inner === undefined || inner === null) return {};
  if (inner instanceof Uint8Array) return { contentType: "application/octet-stream", body: inner };
  if (typeof inner === "string") return { contentType: "text/plain", body: inner };
  return { contentType: format.contentType, body: format.encode(payload.shape, inner) };
}

function errorFrame(
  { operation, stream, format, protocol }: EventStreamAnswer,
  error: unknown,
  frame: Frame,
): Uint8Array {
  const failure = error instanceof AwsError ? error : new AwsError("InternalFailure", "The stream failed.");
  const { name, shape } = errorAnswer(operation.service, failure, protocol);
  const members = stream.shape.type === "structure" ? [...stream.shape.members.values()] : [];
  const modelled = members.find((member) => member.shape.name === name);
  if (!modelled || !shape) {
    return frame({ ":message-type": "error", ":error-code": name, ":error-message": failure.message });
  }
  const headers = {
    ":message-type": "exception",
    ":exception-type": modelled.wireName,
    ":content-type": format.contentType,
  };
  return frame(
    headers,
    format.encode(shape, { ...failure.fields, message: failure.message, Message: failure.message }),
  );
}
