// The x-amz-copy-source header: /BUCKET/KEY or BUCKET/KEY, percent-encoded, perhaps with ?versionId=.
import { AwsError } from "../../../lib/aws-error.ts";
import { requireBucket, type Bucket } from "../bucket/buckets.ts";
import { invalidArgument, invalidRequest } from "../errors.ts";
import type { S3Context } from "../s3-context.ts";
import { checkCopyConditions } from "./conditions.ts";
import { requireVersion } from "../versions/require-version.ts";
import type { StoredObject } from "./objects.ts";

export interface CopySourceRequest {
  readonly CopySource: string;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

export function parseCopySource(header: string): CopySource {
  const [path = "", query] = header.split("?", 2);
  const decoded = decodedPath(path.replace(/^\//, ""), header);
  const slash = decoded.indexOf("/");
  if (slash < 1 || slash === decoded.length - 1) throw invalidSource(header);
  return {
    bucket: decoded.slice(0, slash),
    key: decoded.slice(slash + 1),
    versionId: new URLSearchParams(query).get("versionId") ?? undefined,
  };
}

export interface FoundSource {
  readonly bucket: Bucket;
  readonly object: StoredObject;
  /** The version that was asked for; undefined: the current object. */
  readonly askedVersion: string | undefined;
}

/** The object to copy, if the caller may read it and its conditions hold. */
export async function sourceObject(input: CopySourceRequest, ctx: S3Context): Promise<FoundSource> {
  const source = parseCopySource(input.CopySource);
  const bucket = await requireBucket(
    ctx.store.read,
    ctx.sourceAccount ?? ctx.account,
    source.bucket,
    input.ExpectedSourceBucketOwner,
  );
  const object = await sourceVersion(ctx, bucket, source);
  checkCopyConditions(object, {
    IfMatch: input.CopySourceIfMatch,
    IfNoneMatch: input.CopySourceIfNoneMatch,
    IfModifiedSince: input.CopySourceIfModifiedSince,
    IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  });
  return { bucket, object, askedVersion: source.versionId };
}

async function sourceVersion({ store }: S3Context, bucket: Bucket, source: CopySource): Promise<StoredObject> {
  try {
    return await requireVersion(store.read, bucket, source.key, source.versionId);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "MethodNotAllowed") throw error;
    throw invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.");
  }
}

function decodedPath(path: string, header: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalidSource(header);
  }
}

const invalidSource = (header: string): Error =>
  invalidArgument(
    "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    "x-amz-copy-source",
    header,
  );
