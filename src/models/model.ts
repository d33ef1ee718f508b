// What a service looks like to the server: its operations and their shapes, linked. The source of every table is a botocore
// model (tools/generate-models.ts); the traits are those of https://smithy.io/2.0/spec/ under C2J's names.
import type { services } from "./generated/services.ts";

export type ServiceName = keyof typeof services;

/** Wire protocols that a service may answer, by their C2J names. */
export type ProtocolName = "json" | "query" | "rest-json" | "rest-xml" | "smithy-rpc-v2-cbor";

export interface ServiceModel {
  readonly name: ServiceName;
  readonly apiVersion: string;
  /** The first one is what a client chooses if it can. */
  readonly protocols: readonly ProtocolName[];
  /** "1.0" or "1.1": the x-amz-json version of the json protocol. */
  readonly jsonVersion: string | undefined;
  /** What stands before the dot in X-Amz-Target. */
  readonly targetPrefix: string | undefined;
  /** The service part of a SigV4 credential scope. */
  readonly signingName: string;
  /** Error answers carry x-amzn-query-error for clients that once spoke query. */
  readonly isQueryCompatible: boolean;
  readonly xmlNamespace: string | undefined;
  /** All operations by name; a Map, since names arrive from the wire. */
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** Every exception of the service by shape name, and by its code on the wire where that differs. */
  readonly errors: ReadonlyMap<string, ErrorShape>;
}

export interface OperationModel {
  readonly name: string;
  readonly service: ServiceModel;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode: number };
  readonly input: StructureShape;
  readonly output: StructureShape;
  /** Root element of a rest-xml input, where the model names one. */
  readonly inputWrapper: string | undefined;
  /** Element around a query answer's members. */
  readonly resultWrapper: string | undefined;
  /** Names of the exceptions that the operation declares. */
  readonly errorNames: readonly string[];
  /** False where a request without signature is right (AssumeRoleWithWebIdentity). */
  readonly isSigned: boolean;
  readonly httpChecksum: HttpChecksum | undefined;
  /** Content encodings that a client may use for the request's body. */
  readonly requestEncodings: readonly string[];
  /** The member whose streaming blob is the request's or response's body. */
  readonly inputStream: Member | undefined;
  readonly outputStream: Member | undefined;
}

export interface HttpChecksum {
  readonly requestAlgorithmMember?: string;
  readonly requestChecksumRequired?: boolean;
  readonly requestValidationModeMember?: string;
  readonly responseAlgorithms?: readonly string[];
}

interface ShapeBase {
  readonly name: string;
  /** Never printed, neither in messages nor in logs. */
  readonly isSensitive: boolean;
}

export interface StructureShape extends ShapeBase {
  readonly type: "structure";
  /** In the model's order. */
  readonly members: ReadonlyMap<string, Member>;
  readonly isUnion: boolean;
  readonly isEventStream: boolean;
  /** An event of an event stream. */
  readonly isEvent: boolean;
  readonly isException: boolean;
  /** The member that is the whole HTTP body. */
  readonly payload: Member | undefined;
  readonly locationName: string | undefined;
  readonly xmlNamespace: XmlNamespace | undefined;
}

export interface ErrorShape extends StructureShape {
  /** Code on the wire: error.code where the model has one, else the shape's name. */
  readonly code: string;
  readonly httpStatus: number | undefined;
  /** True when the service, not the caller, is to blame. */
  readonly isFault: boolean;
}

export interface ListShape extends ShapeBase {
  readonly type: "list";
  readonly member: Member;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly isFlattened: boolean;
}

export interface MapShape extends ShapeBase {
  readonly type: "map";
  readonly key: Member;
  readonly value: Member;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly isFlattened: boolean;
}

export interface StringShape extends ShapeBase {
  readonly type: "string";
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** As AWS prints it. */
  readonly pattern: string | undefined;
  /** What to match the whole text against, in the pattern's dialect: the pattern, or its correction. See `pattern.ts`. */
  readonly matchedPattern: string | undefined;
  readonly enum: readonly string[] | undefined;
}

export interface NumberShape extends ShapeBase {
  readonly type: "integer" | "long" | "float" | "double";
  readonly min: number | undefined;
  readonly max: number | undefined;
}

export interface BlobShape extends ShapeBase {
  readonly type: "blob";
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly isStreaming: boolean;
}

export interface TimestampShape extends ShapeBase {
  readonly type: "timestamp";
  readonly timestampFormat: TimestampFormat | undefined;
}

export interface BooleanShape extends ShapeBase {
  readonly type: "boolean";
}

/** Any JSON value. */
export interface DocumentShape extends ShapeBase {
  readonly type: "document";
}

export type TimestampFormat = "iso8601" | "rfc822" | "unixTimestamp";

export type Shape =
  | StructureShape
  | ListShape
  | MapShape
  | StringShape
  | NumberShape
  | BlobShape
  | TimestampShape
  | BooleanShape
  | DocumentShape;

export type MemberLocation = "header" | "headers" | "querystring" | "uri" | "statusCode" | "body";

export interface XmlNamespace {
  readonly uri: string;
  readonly prefix?: string;
}

/** A use of a shape: in a structure, or as a list's element or a map's key or value. */
export interface Member {
  /** The member's own name; "member", "key" or "value" in lists and maps. */
  readonly name: string;
  /** locationName where the model has one, else the name. */
  readonly wireName: string;
  /** True where the model gives a locationName. */
  readonly hasWireName: boolean;
  readonly location: MemberLocation;
  readonly shape: Shape;
  readonly isRequired: boolean;
  readonly isStreaming: boolean;
  readonly isFlattened: boolean;
  readonly isXmlAttribute: boolean;
  readonly isEventPayload: boolean;
  readonly isIdempotencyToken: boolean;
  readonly xmlNamespace: XmlNamespace | undefined;
}
