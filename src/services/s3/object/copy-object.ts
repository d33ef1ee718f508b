import { isMountedBlob } from "../../../storage/storage.ts";
import { createHash } from "node:crypto";
import type { CopyObjectRequest } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import type { ObjectAccess } from "../access/list-grant.ts";
import { newObjectAccess } from "../access/new-object-access.ts";
import { requireBucket } from "../bucket/buckets.ts";
import {
  checksumMembers,
  isAlgorithm,
  startChecksum,
  type Algorithm,
  type StoredChecksum,
} from "../checksums/checksum.ts";
import { invalidRequest, notImplemented } from "../errors.ts";
import { operation, type S3Context } from "../s3-context.ts";
import { tagsFromHeader } from "../tagging/tags.ts";
import { requireVersion } from "../versions/require-version.ts";
import { shownVersion, writtenVersion } from "../versions/version-id.ts";
import { sourceObject, type FoundSource } from "./copy-source.ts";
import { attributesFrom, checkKey, refuseUnkeptWishes, type ObjectAttributes } from "./object-attributes.ts";
import { quoted, type NewObject, type StoredObject } from "./objects.ts";
import { placeObject, type PlacedObject } from "./place-object.ts";

const maxCopyBytes = 5 * 1024 ** 3;

/** Sources that change while they are copied: so often is tried again. */
const maxAttempts = 5;

/** A copy shares its source's blob, which never changes; only the row is new. */
export const copyObject = operation("CopyObject", async (input, ctx) => {
  checkKey(input.Key);
  refuseUnkeptWishes(input);
  if (input.CopySourceSSECustomerAlgorithm !== undefined) throw notImplemented("encryption with a customer's key");
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const access = await newObjectAccess(ctx.store.read, bucket, ctx.caller.account, input);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const source = await sourceObject(input, ctx);
    const copy = await copyOf(source, input, ctx, access);
    const placed = await saveCopy(copy, source, input, ctx);
    if (!placed) continue;
    const { VersionId: CopySourceVersionId } = shownVersion(source.bucket, source.object);
    return {
      CopyObjectResult: { ETag: quoted(copy.eTag), LastModified: copy.modifiedAt, ...checksumMembers(copy.checksum) },
      CopySourceVersionId,
      ...writtenVersion(placed.bucket, placed.object),
    };
  }
  throw new AwsError(
    "OperationAborted",
    "A conflicting conditional operation is currently in progress against this resource. Please try again.",
  );
});

async function copyOf(
  found: FoundSource,
  input: CopyObjectRequest,
  ctx: S3Context,
  access: ObjectAccess | undefined,
): Promise<NewObject> {
  const source = found.object;
  if (source.sizeBytes > maxCopyBytes) {
    throw invalidRequest(
      "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
    );
  }
  const attributes = copiedAttributes(input, source);
  if (found.askedVersion === undefined) refuseCopyOntoItself(input, source, attributes);
  return {
    bucket: input.Bucket,
    key: input.Key,
    blobId: isMountedBlob(source.blobId) ? await ownBlob(source, ctx) : source.blobId,
    sizeBytes: source.sizeBytes,
    ...(await digests(input, source, ctx)),
    modifiedAt: ctx.clock.now(),
    attributes,
    tags: input.TaggingDirective === "REPLACE" ? tagsFromHeader(input.Tagging) : source.tags,
    access,
  };
}

/** The bytes of a file that is not ours, which may change or go. */
const ownBlob = async ({ blobId }: StoredObject, { storage }: S3Context): Promise<string> =>
  (await storage.write(await storage.read(blobId))).id;

/** Resolves to undefined where the source is no longer what was copied: nothing may hold its blob any more. */
function saveCopy(
  copy: NewObject,
  { bucket, object, askedVersion }: FoundSource,
  input: CopyObjectRequest,
  ctx: S3Context,
): Promise<PlacedObject | undefined> {
  return ctx.store.write(async (tx) => {
    // Throws where it is gone.
    const current = await requireVersion(tx, bucket, object.key, askedVersion);
    return current.blobId === object.blobId ? placeObject(tx, ctx, copy, input) : undefined;
  });
}

function copiedAttributes(input: CopyObjectRequest, source: StoredObject): ObjectAttributes {
  if (input.MetadataDirective === "REPLACE") return attributesFrom(input);
  const { StorageClass, WebsiteRedirectLocation } = attributesFrom({
    StorageClass: input.StorageClass,
    WebsiteRedirectLocation: input.WebsiteRedirectLocation,
  });
  // Neither is copied, on AWS as well.
  return { ...source.attributes, StorageClass, WebsiteRedirectLocation };
}

function refuseCopyOntoItself(input: CopyObjectRequest, source: StoredObject, attributes: ObjectAttributes): void {
  const isSame = source.bucket === input.Bucket && source.key === input.Key;
  if (!isSame || input.MetadataDirective === "REPLACE" || input.ServerSideEncryption !== undefined) return;
  if (attributes.StorageClass !== source.attributes.StorageClass) return;
  if (attributes.WebsiteRedirectLocation !== source.attributes.WebsiteRedirectLocation) return;
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

interface Digests {
  readonly eTag: string;
  readonly checksum: StoredChecksum | undefined;
}

/** A copy is an object of one piece: what its source's parts were summed up to must be counted anew. */
async function digests(input: CopyObjectRequest, source: StoredObject, ctx: S3Context): Promise<Digests> {
  const algorithm = wantedAlgorithm(input, source);
  const isKnown =
    algorithm === undefined || (source.checksum?.algorithm === algorithm && source.checksum.type === "FULL_OBJECT");
  if (!source.parts && isKnown && !isMountedBlob(source.blobId))
    return { eTag: source.eTag, checksum: source.checksum };
  const md5 = createHash("md5");
  const running = algorithm && startChecksum(algorithm);
  for await (const chunk of await ctx.storage.read(source.blobId)) {
    // A byte stream yields buffers.
    md5.update(chunk as Buffer);
    running?.update(chunk as Buffer);
  }
  return {
    eTag: md5.digest("hex"),
    checksum: algorithm && running && { algorithm, type: "FULL_OBJECT", value: running.digest().toString("base64") },
  };
}

function wantedAlgorithm({ ChecksumAlgorithm }: CopyObjectRequest, source: StoredObject): Algorithm | undefined {
  if (ChecksumAlgorithm === undefined) return source.checksum?.algorithm;
  if (!isAlgorithm(ChecksumAlgorithm)) throw notImplemented(`${ChecksumAlgorithm} checksums`);
  return ChecksumAlgorithm;
}
