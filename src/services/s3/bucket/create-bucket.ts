import type { CreateBucketRequest, Tag } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { grantsOfHeaders } from "../access/asked-grants.ts";
import { refuseGrants } from "../access/disabled-lists.ts";
import { hasLists, isPublicGrant, type ListGrant } from "../access/list-grant.ts";
import { refuseBlocked } from "../access/new-object-access.ts";
import { aclsBesideEnforced, blockEverything, ownershipNamed } from "../configuration/access-controls.ts";
import { saveSetting } from "../configuration/bucket-settings.ts";
import { checkedBucketTags, tagging } from "../configuration/bucket-tagging.ts";
import { invalidArgument, notImplemented } from "../errors.ts";
import { operation, type S3Context } from "../s3-context.ts";
import { checkBucketName } from "./bucket-name.ts";
import { bucketArn, findBucket, ownershipColumn, type Bucket, type Ownership } from "./buckets.ts";

/** The region whose endpoint is also the global one: it takes no constraint, and forgives a second creation. */
const globalRegion = "us-east-1";

export const createBucket = operation("CreateBucket", async (input, ctx) => {
  checkBucketName(input.Bucket);
  if (input.ObjectLockEnabledForBucket) throw notImplemented("buckets with object lock");
  const access = await newBucketAccess(input, ctx);
  const tags = checkedBucketTags(input.CreateBucketConfiguration?.Tags ?? []);
  const region = regionFor(input, ctx.region);
  const created = await insertBucket(ctx, input.Bucket, region, tags, access);
  if (!created) {
    const taken = await refuseUnlessForgiven(ctx, input.Bucket, region);
    await resetList(ctx, taken, input, access);
  }
  return { Location: `/${input.Bucket}`, BucketArn: bucketArn(input.Bucket) };
});

interface BucketAccess {
  readonly ownership: Ownership;
  readonly grants: readonly ListGrant[] | undefined;
}

/** Until April 2023 new buckets had no rule of ownership, and so lists, and nothing was blocked. */
async function newBucketAccess(input: CreateBucketRequest, ctx: S3Context): Promise<BucketAccess> {
  const { ObjectOwnership: given } = input;
  const { bucketDefaults } = ctx;
  const byDefault = bucketDefaults === "2022" ? "None" : "BucketOwnerEnforced";
  const refuse = (): AwsError =>
    invalidArgument("Invalid x-amz-object-ownership header", "x-amz-object-ownership", given ?? "");
  const ownership: Ownership = given === undefined ? byDefault : ownershipNamed(given, refuse);
  const owners = { owner: ctx.account, bucketOwner: ctx.account };
  const grants = await grantsOfHeaders(ctx.store.read, input, owners);
  const others = (grants ?? []).filter(({ to }) => to !== ctx.account);
  if (ownership === "BucketOwnerEnforced") {
    if (others.length > 0) throw aclsBesideEnforced();
    return { ownership, grants: undefined };
  }
  if (bucketDefaults === "current" && others.some(isPublicGrant)) {
    throw new AwsError(
      "InvalidBucketAclWithBlockPublicAccessError",
      "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
      { httpStatus: 400 },
    );
  }
  return { ownership, grants };
}

/** Resolves to false where the name is taken. */
function insertBucket(
  ctx: S3Context,
  name: string,
  region: string,
  tags: readonly Tag[],
  { ownership, grants }: BucketAccess,
): Promise<boolean> {
  const now = ctx.clock.now();
  const access = { ownership: ownershipColumn(ownership), grants: grants ? JSON.stringify(grants) : null };
  return ctx.store.write(async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("buckets")
      .values({ name, account: ctx.account, region, created_at: now.getTime(), versioning: "", ...access })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .executeTakeFirst();
    const isNew = numInsertedOrUpdatedRows === 1n;
    if (isNew && tags.length > 0) await saveSetting(tx, name, tagging.name, JSON.stringify(tags), now);
    if (isNew && ctx.bucketDefaults === "current") await blockEverything(tx, name, now);
    return isNew;
  });
}

/** Made again, a bucket has the list that is asked for now: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (BucketAlreadyOwnedByYou) */
async function resetList(
  ctx: S3Context,
  bucket: Bucket,
  input: CreateBucketRequest,
  { grants }: BucketAccess,
): Promise<void> {
  if (!hasLists(bucket)) return refuseGrants(input, bucket);
  await refuseBlocked(ctx.store.read, bucket, grants ?? []);
  await ctx.store.write((tx) =>
    tx
      .updateTable("buckets")
      .set({ grants: grants ? JSON.stringify(grants) : null })
      .where("name", "=", bucket.name)
      .where("ownership", "!=", "")
      .execute(),
  );
}

async function refuseUnlessForgiven(ctx: S3Context, name: string, region: string): Promise<Bucket> {
  const taken = await findBucket(ctx.store.read, name);
  const fields = { BucketName: name };
  if (taken?.account !== ctx.account) {
    throw new AwsError(
      "BucketAlreadyExists",
      "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
      { fields },
    );
  }
  if (region === globalRegion && taken.region === globalRegion) return taken;
  throw new AwsError(
    "BucketAlreadyOwnedByYou",
    "Your previous request to create the named bucket succeeded and you already own it.",
    { fields },
  );
}

function regionFor({ CreateBucketConfiguration: wanted }: CreateBucketRequest, endpointRegion: string): string {
  const constraint: string | undefined = wanted?.LocationConstraint;
  if (endpointRegion === globalRegion) {
    if (constraint === undefined || constraint === "") return globalRegion;
    if (constraint === globalRegion) {
      throw new AwsError("InvalidLocationConstraint", "The specified location-constraint is not valid", {
        fields: { LocationConstraint: constraint },
      });
    }
    return constraint === "EU" ? "eu-west-1" : constraint;
  }
  const region = constraint === "EU" ? "eu-west-1" : constraint;
  if (region === endpointRegion) return region;
  throw new AwsError(
    "IllegalLocationConstraintException",
    `The ${constraint ?? "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}
