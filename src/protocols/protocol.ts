// What a wire protocol does: bytes to typed input, typed output to bytes, errors to bytes. Nobody else builds an AWS response.
import type { Readable } from "node:stream";
import type { AwsError } from "../lib/aws-error.ts";
import type { OperationModel } from "../models/index.ts";

export interface WireRequest {
  readonly method: string;
  /** As on the wire, still percent-encoded, without the query. S3 after routing: always in path style. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  /** Lower-cased names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body; empty where `stream` carries it. */
  readonly body: Uint8Array;
  /** The body of an operation whose input has a streaming blob (`operation.inputStream`). */
  readonly stream?: Readable;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string | Readable | undefined;
}

/** An operation that knows its service. */
export type BoundOperation = OperationModel;

/** Instances keep compiled readers and writers; make one set per process (`createProtocols`). */
export interface Protocol {
  readonly name: "aws-json" | "query" | "rest-json" | "rest-xml" | "rpc-v2-cbor";
  /**
   * The operation's input: members under their model names, timestamps as Date, blobs as Uint8Array, absent members absent,
   * unknown members dropped. Types are checked here, constraints in models/validate. Throws AwsError, and nothing else.
   */
  parse(operation: BoundOperation, request: WireRequest): unknown;
  /** Drops members that the model does not have; an undefined or null member is left out. Throws if a value has a wrong type. */
  serialize(operation: BoundOperation, output: unknown, requestId: string): WireResponse;
  /** `operation` is undefined where none was found. */
  serializeError(operation: BoundOperation | undefined, error: AwsError, requestId: string): WireResponse;
}
