// Who may open a bucket to others. A new bucket is its owner's alone unless a policy says otherwise: access control lists are
// disabled and public access is blocked, as on AWS since April 2023; the owner can have both otherwise.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
import type { ObjectOwnership, PublicAccessBlockConfiguration } from "../../../models/generated/s3.ts";
import type { Reader, Writer } from "../../../database/store.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { ownershipColumn, requireBucket, type Bucket, type Ownership } from "../bucket/buckets.ts";
import { malformedXml } from "../errors.ts";
import { operation } from "../s3-context.ts";
import { saveSetting } from "./bucket-settings.ts";
import {
  bucketOfRequest,
  deleteSetting,
  missingSetting,
  putSetting,
  readSetting,
  requireSetting,
  setting,
} from "./setting.ts";

const publicAccess = setting<PublicAccessBlockConfiguration>(
  "public-access-block",
  "NoSuchPublicAccessBlockConfiguration",
  "The public access block configuration was not found",
);

const ownershipControls = setting<never>(
  "ownership-controls",
  "OwnershipControlsNotFoundError",
  "The bucket ownership controls were not found",
);

/** What the owner of a bucket has forbidden, whatever its policy and its lists say. */
export const publicAccessBlockOf = (
  reader: Reader,
  bucket: string,
): Promise<PublicAccessBlockConfiguration | undefined> => readSetting(reader, bucket, publicAccess);

/** What a new bucket begins with. */
export const blockEverything = (tx: Writer, bucket: string, now: Date): Promise<void> =>
  saveSetting(
    tx,
    bucket,
    publicAccess.name,
    JSON.stringify({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    } satisfies PublicAccessBlockConfiguration),
    now,
  );

/** Throws InvalidArgument, or MalformedXML where a document said it. */
export function ownershipNamed(given: string, error: () => AwsError = malformedXml): ObjectOwnership {
  if (given === "BucketOwnerEnforced" || given === "BucketOwnerPreferred" || given === "ObjectWriter") return given;
  throw error();
}

export const aclsBesideEnforced = (): AwsError =>
  new AwsError(
    "InvalidBucketAclWithObjectOwnership",
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    { httpStatus: 400 },
  );

/** Lists that grant something to others would lose it without a word. */
function refuseWithGrants({ account, grants = [] }: Bucket): void {
  if (grants.some(({ to }) => to !== account)) throw aclsBesideEnforced();
}

async function saveOwnership(tx: Writer, bucket: Bucket, ownership: Ownership): Promise<void> {
  const isEnforced = ownership === "BucketOwnerEnforced";
  if (isEnforced) refuseWithGrants(bucket);
  await tx
    .updateTable("buckets")
    .set({ ownership: ownershipColumn(ownership), ...(isEnforced && { grants: null }) })
    .where("name", "=", bucket.name)
    .execute();
}

export const accessControls = [
  operation("PutPublicAccessBlock", (input, ctx) =>
    putSetting(input, ctx, publicAccess, whole(input.PublicAccessBlockConfiguration)),
  ),
  operation("GetPublicAccessBlock", async (input, ctx) => ({
    PublicAccessBlockConfiguration: await requireSetting(input, ctx, publicAccess),
  })),
  operation("DeletePublicAccessBlock", (input, ctx) => deleteSetting(input, ctx, publicAccess)),

  operation("PutBucketOwnershipControls", async (input, ctx) => {
    const [rule, ...more] = input.OwnershipControls.Rules;
    if (!rule || more.length > 0) throw malformedXml();
    const ownership = ownershipNamed(rule.ObjectOwnership);
    await ctx.store.write(async (tx) => {
      const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
      await saveOwnership(tx, bucket, ownership);
    });
  }),
  operation("GetBucketOwnershipControls", async (input, ctx) => {
    const { ownership } = await bucketOfRequest(input, ctx);
    if (ownership === "None") throw missingSetting(ownershipControls, input.Bucket);
    return { OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] } };
  }),
  operation("DeleteBucketOwnershipControls", async (input, ctx) => {
    await ctx.store.write(async (tx) => {
      const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
      await saveOwnership(tx, bucket, "None");
    });
  }),
];

const whole = (given: PublicAccessBlockConfiguration): PublicAccessBlockConfiguration => ({
  BlockPublicAcls: given.BlockPublicAcls ?? false,
  IgnorePublicAcls: given.IgnorePublicAcls ?? false,
  BlockPublicPolicy: given.BlockPublicPolicy ?? false,
  RestrictPublicBuckets: given.RestrictPublicBuckets ?? false,
});
