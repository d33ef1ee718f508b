import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { checkEncodingType, listedPage, pageLimit } from "./list-answer.ts";
import { listKeys } from "./list-keys.ts";
import { readToken, tokenAfter } from "./token.ts";
import { encoderFor } from "./url-encoding.ts";

export const listObjectsV2 = operation("ListObjectsV2", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const limit = pageLimit(input.MaxKeys, "max-keys");
  checkEncodingType(input.EncodingType);
  const encode = encoderFor(input.EncodingType);
  const prefix = input.Prefix ?? "";
  const delimiter = input.Delimiter ?? "";
  // An empty token is none.
  const after = input.ContinuationToken ? readToken(input.ContinuationToken) : input.StartAfter;
  const page = await listKeys(
    ctx.store.read,
    { bucket: bucket.name, prefix, delimiter, after: after || undefined },
    limit,
  );
  return {
    Name: bucket.name,
    Prefix: encode(prefix),
    Delimiter: encode(delimiter || undefined),
    MaxKeys: limit,
    EncodingType: input.EncodingType,
    KeyCount: page.objects.length + page.commonPrefixes.length,
    ContinuationToken: input.ContinuationToken,
    NextContinuationToken: page.nextAfter === undefined ? undefined : tokenAfter(page.nextAfter),
    StartAfter: encode(input.StartAfter),
    ...listedPage(page, bucket, encode, input.FetchOwner === true),
  };
});
