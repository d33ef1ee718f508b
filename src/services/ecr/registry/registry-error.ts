// Errors as docker and other clients of a registry read them.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
import { AwsError } from "../../../lib/aws-error.ts";
import type { RouteResponse } from "../../service.ts";

export type RegistryCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "UNKNOWN"
  // Neither is the spec's, both are what registries say.
  | "PAGINATION_NUMBER_INVALID"
  | "RANGE_INVALID";

export class RegistryError extends Error {
  readonly status: number;
  readonly code: RegistryCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: RegistryCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What the core throws in ECR's words, and how a registry says it. */
const ofAws: Readonly<Record<string, readonly [status: number, code: RegistryCode]>> = {
  AccessDeniedException: [403, "DENIED"],
  RepositoryNotFoundException: [404, "NAME_UNKNOWN"],
  ImageTagAlreadyExistsException: [400, "TAG_INVALID"],
  LayersNotFoundException: [404, "MANIFEST_BLOB_UNKNOWN"],
  ReferencedImagesNotFoundException: [404, "MANIFEST_BLOB_UNKNOWN"],
  IncompleteBody: [400, "SIZE_INVALID"],
  RequestEntityTooLarge: [413, "SIZE_INVALID"],
  ServerException: [507, "UNKNOWN"],
};

/** Undefined for what is a bug. */
export function asRegistryError(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  const known = error instanceof AwsError ? ofAws[error.code] : undefined;
  return known && error instanceof Error ? new RegistryError(...known, error.message) : undefined;
}

export const errorAnswer = ({ status, code, message, headers }: RegistryError): RouteResponse => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify({ errors: [{ code, message }] }),
});
