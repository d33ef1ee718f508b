// The x-amz-copy-source header: /BUCKET/KEY or BUCKET/KEY, percent-encoded, perhaps with ?versionId=.
import { requireBucket } from "../bucket/buckets.ts";
import { invalidArgument } from "../errors.ts";
import type { S3Context } from "../s3-context.ts";
import { checkCopyConditions } from "./conditions.ts";
import { refuseVersion } from "./describe-object.ts";
import { requireObject, type StoredObject } from "./objects.ts";

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

/** The object to copy, if the caller may read it and its conditions hold. */
export async function sourceObject(input: CopySourceRequest, ctx: S3Context): Promise<StoredObject> {
  const source = parseCopySource(input.CopySource);
  refuseVersion(source.versionId);
  const bucket = await requireBucket(ctx.store.read, ctx.account, source.bucket, input.ExpectedSourceBucketOwner);
  const object = await requireObject(ctx.store.read, bucket.name, source.key);
  checkCopyConditions(object, {
    IfMatch: input.CopySourceIfMatch,
    IfNoneMatch: input.CopySourceIfNoneMatch,
    IfModifiedSince: input.CopySourceIfModifiedSince,
    IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  });
  return object;
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
