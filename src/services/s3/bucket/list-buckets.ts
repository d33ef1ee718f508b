import { invalidArgument } from "../errors.ts";
import { prefixEnd } from "../listing/key-order.ts";
import { readToken, tokenAfter } from "../listing/token.ts";
import { operation } from "../s3-context.ts";
import { bucketArn, bucketOf, ownerOf } from "./buckets.ts";

const maxBucketsPerPage = 10_000;

export const listBuckets = operation("ListBuckets", async (input, ctx) => {
  const limit = input.MaxBuckets ?? maxBucketsPerPage;
  if (limit < 1 || limit > maxBucketsPerPage) {
    throw invalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", String(limit));
  }
  const prefix = input.Prefix ?? "";
  const end = prefixEnd(prefix);
  let query = ctx.store.read.selectFrom("buckets").selectAll().where("account", "=", ctx.account);
  if (prefix !== "") query = query.where("name", ">=", prefix);
  if (prefix !== "" && end !== undefined) query = query.where("name", "<", end);
  if (input.ContinuationToken !== undefined) query = query.where("name", ">", readToken(input.ContinuationToken));
  if (input.BucketRegion !== undefined) query = query.where("region", "=", input.BucketRegion);
  const rows = await query
    .orderBy("name")
    .limit(limit + 1)
    .execute();
  const buckets = rows.slice(0, limit).map(bucketOf);
  const last = rows.length > limit ? buckets.at(-1) : undefined;
  return {
    Owner: ownerOf(ctx),
    Buckets: buckets.map((bucket) => ({
      Name: bucket.name,
      CreationDate: bucket.createdAt,
      BucketRegion: bucket.region,
      BucketArn: bucketArn(bucket.name),
    })),
    ContinuationToken: last && tokenAfter(last.name),
    Prefix: input.Prefix,
  };
});
