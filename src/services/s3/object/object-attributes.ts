// What a client says about an object beside its bytes, kept as JSON with the row and given back as headers.
import type { StorageClass } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { invalidRequest, notImplemented } from "../errors.ts";

export interface ObjectAttributes {
  readonly ContentType?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly Expires?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly StorageClass?: StorageClass | undefined;
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
}

/** Members of a request that promise something beyond storing bytes. */
export interface StorageWishes {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
  readonly WriteOffsetBytes?: number | undefined;
}

/** All without a difference that Salvia could show; the archives would need a restore. */
const immediateClasses: ReadonlySet<string> = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
]);

const maxMetadataBytes = 2048;
const maxKeyBytes = 1024;

export const defaultContentType = "binary/octet-stream";

export function attributesFrom(input: ObjectAttributes): ObjectAttributes {
  checkStorageClass(input.StorageClass);
  const Metadata = Object.fromEntries(
    Object.entries(input.Metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  checkMetadataSize(Metadata);
  const attributes: ObjectAttributes = {
    ContentType: input.ContentType,
    CacheControl: input.CacheControl,
    ContentDisposition: input.ContentDisposition,
    ContentEncoding: withoutChunking(input.ContentEncoding),
    ContentLanguage: input.ContentLanguage,
    Expires: input.Expires,
    WebsiteRedirectLocation: input.WebsiteRedirectLocation,
    StorageClass: input.StorageClass === "STANDARD" ? undefined : input.StorageClass,
    Metadata,
  };
  return attributes;
}

/** Encryption that somebody names a key for is refused; the default of clients is stored as it is: docs/decisions/0003. */
export function refuseUnkeptWishes(input: StorageWishes): void {
  if (input.SSECustomerAlgorithm !== undefined || input.SSECustomerKey !== undefined) {
    throw notImplemented("encryption with a customer's key");
  }
  if (input.SSEKMSKeyId !== undefined) throw notImplemented("encryption with a KMS key");
  const encryption = input.ServerSideEncryption;
  if (encryption !== undefined && encryption !== "AES256" && encryption !== "aws:kms") {
    throw notImplemented(`server-side encryption ${encryption}`);
  }
  if (input.ObjectLockMode !== undefined || input.ObjectLockLegalHoldStatus !== undefined) {
    throw notImplemented("object lock");
  }
  if (input.WriteOffsetBytes !== undefined) throw notImplemented("appending to objects");
}

export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > maxKeyBytes) {
    throw new AwsError("KeyTooLongError", "Your key is too long", {
      fields: { Size: bytes, MaxSizeAllowed: maxKeyBytes },
    });
  }
  if (bytes === 0) throw invalidRequest("A key is at least one byte long");
}

function checkStorageClass(storageClass: StorageClass | undefined): void {
  if (storageClass === undefined || immediateClasses.has(storageClass)) return;
  if (storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE") throw notImplemented("archived objects");
  throw new AwsError("InvalidStorageClass", "The storage class you specified is not valid");
}

function checkMetadataSize(metadata: Readonly<Record<string, string>>): void {
  const bytes = Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (bytes <= maxMetadataBytes) return;
  throw new AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {
    fields: { Size: bytes, MaxSizeAllowed: maxMetadataBytes },
  });
}

/** aws-chunked describes the request's body, not the object. */
function withoutChunking(encoding: string | undefined): string | undefined {
  if (!encoding?.includes("aws-chunked")) return encoding || undefined;
  const kept = encoding
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "aws-chunked");
  return kept.length > 0 ? kept.join(", ") : undefined;
}
