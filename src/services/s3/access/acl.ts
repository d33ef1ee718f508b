// Operations on access control lists.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Reader } from "../../../database/store.ts";
import type { AccessControlPolicy } from "../../../models/generated/s3.ts";
import type { Bucket } from "../bucket/buckets.ts";
import { bucketOfRequest } from "../configuration/setting.ts";
import { operation } from "../s3-context.ts";
import { changeVersion } from "../versions/change-version.ts";
import { requireVersion } from "../versions/require-version.ts";
import { grantsOfDocument, grantsOfHeaders, type GrantHeaders, type Owners } from "./asked-grants.ts";
import { aclNotSupported, refuseDocument, refuseGrants } from "./disabled-lists.ts";
import { accessIn, hasLists, shownList, type ListGrant, type ObjectAccess } from "./list-grant.ts";
import { refuseBlocked } from "./new-object-access.ts";

interface ListRequest extends GrantHeaders {
  readonly AccessControlPolicy?: AccessControlPolicy | undefined;
}

/** Undefined: lists are disabled, and the request asks for nothing else than what is so. */
async function askedList(
  reader: Reader,
  input: ListRequest,
  bucket: Bucket,
  owners: Owners,
): Promise<readonly ListGrant[] | undefined> {
  const { AccessControlPolicy: document } = input;
  if (!hasLists(bucket)) {
    refuseGrants(input, bucket);
    refuseDocument(document, bucket);
    return undefined;
  }
  const byHeaders = await grantsOfHeaders(reader, input, owners);
  if (byHeaders !== undefined && document !== undefined) {
    throw new AwsError("UnexpectedContent", "This request does not support content", { httpStatus: 400 });
  }
  const grants = byHeaders ?? (await grantsOfDocument(reader, document, owners));
  if (grants === undefined) {
    throw new AwsError("MissingSecurityHeader", "Your request was missing a required header", { httpStatus: 400 });
  }
  await refuseBlocked(reader, bucket, grants);
  return grants;
}

const bucketList = (bucket: Bucket): ObjectAccess => ({
  owner: bucket.account,
  grants: hasLists(bucket) ? bucket.grants : undefined,
});

export const acl = [
  operation("GetBucketAcl", async (input, ctx) => shownList(bucketList(await bucketOfRequest(input, ctx)))),

  operation("PutBucketAcl", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    const owners = { owner: bucket.account, bucketOwner: bucket.account };
    const grants = await askedList(ctx.store.read, input, bucket, owners);
    if (!grants) return;
    const { numUpdatedRows } = await ctx.store.write((tx) =>
      tx
        .updateTable("buckets")
        .set({ grants: JSON.stringify(grants) })
        .where("name", "=", bucket.name)
        // Lists that were disabled in the meantime must not have some when they are enabled again.
        .where("ownership", "!=", "")
        .executeTakeFirst(),
    );
    if (numUpdatedRows === 0n) throw aclNotSupported();
  }),

  operation("GetObjectAcl", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    const object = await requireVersion(ctx.store.read, bucket, input.Key, input.VersionId);
    return shownList(accessIn(bucket, object.access));
  }),

  operation("PutObjectAcl", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    await ctx.store.write(async (tx) => {
      const object = await requireVersion(tx, bucket, input.Key, input.VersionId);
      const { owner } = accessIn(bucket, object.access);
      const grants = await askedList(tx, input, bucket, { owner, bucketOwner: bucket.account });
      if (grants) await changeVersion(tx, object, { access: JSON.stringify({ owner, grants } satisfies ObjectAccess) });
    });
    return {};
  }),
];
