import { requireBucket } from "../bucket/buckets.ts";
import { operation } from "../s3-context.ts";
import { checkEncodingType, listedPage, pageLimit } from "./list-answer.ts";
import { listKeys } from "./list-keys.ts";
import { encoderFor } from "./url-encoding.ts";

/** Botocore decodes every member of this answer but this one, so S3 must be sending it as it is. */
const fitsXml = (prefix: string): boolean => !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(prefix);

/** Version 1. Only with a delimiter does it say where to go on; without, a client takes the last key. */
export const listObjects = operation("ListObjects", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const limit = pageLimit(input.MaxKeys, "max-keys");
  checkEncodingType(input.EncodingType);
  const encode = encoderFor(input.EncodingType);
  const prefix = input.Prefix ?? "";
  const delimiter = input.Delimiter ?? "";
  const range = { bucket: bucket.name, prefix, delimiter, after: input.Marker || undefined };
  const page = await listKeys(ctx.store.read, range, limit);
  return {
    Name: bucket.name,
    Prefix: fitsXml(prefix) ? prefix : encode(prefix),
    Marker: encode(input.Marker ?? ""),
    NextMarker: delimiter === "" ? undefined : encode(page.nextAfter),
    Delimiter: encode(delimiter || undefined),
    MaxKeys: limit,
    EncodingType: input.EncodingType,
    ...listedPage(page, bucket, encode, true),
  };
});
