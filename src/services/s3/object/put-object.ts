import { newObjectAccess } from "../access/new-object-access.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { checksumMembers } from "../checksums/checksum.ts";
import { operation } from "../s3-context.ts";
import { tagsFromHeader } from "../tagging/tags.ts";
import { writtenVersion } from "../versions/version-id.ts";
import { checkWriteConditions } from "./conditions.ts";
import { attributesFrom, checkKey, refuseUnkeptWishes } from "./object-attributes.ts";
import { findObject, quoted } from "./objects.ts";
import { receiveBody } from "./receive-body.ts";
import { switchObject } from "./switch-object.ts";

export const putObject = operation("PutObject", async (input, ctx) => {
  checkKey(input.Key);
  refuseUnkeptWishes(input);
  const attributes = attributesFrom(input);
  const tags = tagsFromHeader(input.Tagging);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const access = await newObjectAccess(ctx.store.read, bucket, ctx.caller.account, input);
  // Before the body, to spare the client; decided again when the row is switched.
  checkWriteConditions(await findObject(ctx.store.read, bucket.name, input.Key), input.Key, input);

  const { blob, eTag, checksum } = await receiveBody(input, ctx, undefined, { mayLeaveUnsaved: true });
  const object = {
    bucket: bucket.name,
    key: input.Key,
    blobId: blob.id,
    sizeBytes: blob.sizeBytes,
    eTag,
    modifiedAt: ctx.clock.now(),
    attributes,
    tags,
    checksum,
    access,
  };
  const placed = await switchObject(ctx, object, input, blob.unsaved);
  return { ETag: quoted(eTag), ...checksumMembers(checksum), ...writtenVersion(placed.bucket, placed.object) };
});
