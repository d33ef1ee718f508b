// Who may open a bucket to others. A bucket is its owner's alone unless a policy says otherwise: access control lists are disabled, as
// on AWS since April 2023 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html).
import type { OwnershipControls, PublicAccessBlockConfiguration } from "../../../models/generated/s3.ts";
import type { Reader } from "../../../database/store.ts";
import { notImplemented } from "../errors.ts";
import { operation } from "../s3-context.ts";
import {
  deleteSetting,
  getSetting,
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

/** Null: the owner has deleted the one that every bucket begins with. */
const ownership = setting<OwnershipControls | null>(
  "ownership-controls",
  "OwnershipControlsNotFoundError",
  "The bucket ownership controls were not found",
);

const enforced: OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] };

/** What the owner of a bucket has forbidden, whatever its policy says. */
export const publicAccessBlockOf = (
  reader: Reader,
  bucket: string,
): Promise<PublicAccessBlockConfiguration | undefined> => readSetting(reader, bucket, publicAccess);

/** Lists that grant something to others have no effect here, so nobody can choose to have them. */
export function refuseOwnership(objectOwnership: string | undefined): void {
  if (objectOwnership === undefined || objectOwnership === "BucketOwnerEnforced") return;
  throw notImplemented(`access control lists (object ownership ${objectOwnership})`);
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
    for (const rule of input.OwnershipControls.Rules) refuseOwnership(rule.ObjectOwnership);
    await putSetting(input, ctx, ownership, enforced);
  }),
  operation("GetBucketOwnershipControls", async (input, ctx) => {
    const controls = await getSetting(input, ctx, ownership);
    if (controls === null) throw missingSetting(ownership, input.Bucket);
    return { OwnershipControls: controls ?? enforced };
  }),
  operation("DeleteBucketOwnershipControls", (input, ctx) => putSetting(input, ctx, ownership, null)),
];

const whole = (given: PublicAccessBlockConfiguration): PublicAccessBlockConfiguration => ({
  BlockPublicAcls: given.BlockPublicAcls ?? false,
  IgnorePublicAcls: given.IgnorePublicAcls ?? false,
  BlockPublicPolicy: given.BlockPublicPolicy ?? false,
  RestrictPublicBuckets: given.RestrictPublicBuckets ?? false,
});
