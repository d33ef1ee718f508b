import type { Reader } from "../../../database/store.ts";
import type { ListMultipartUploadsRequest, MultipartUpload } from "../../../models/generated/s3.ts";
import { accessIn } from "../access/list-grant.ts";
import { ownerOf, requireBucket, type Bucket } from "../bucket/buckets.ts";
import { prefixEnd } from "../listing/key-order.ts";
import { checkEncodingType, pageLimit } from "../listing/list-answer.ts";
import { commonPrefixOf } from "../listing/list-keys.ts";
import { encoderFor, type Encoder } from "../listing/url-encoding.ts";
import { operation } from "../s3-context.ts";
import { initiatorOf, uploadOf, type Upload } from "./uploads.ts";

export const listMultipartUploads = operation("ListMultipartUploads", async (input, ctx) => {
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const limit = pageLimit(input.MaxUploads, "max-uploads");
  checkEncodingType(input.EncodingType);
  const encode = encoderFor(input.EncodingType);
  const page = foldedPage(await uploadsAfterMarker(ctx.store.read, input), input, limit);
  return {
    Bucket: bucket.name,
    Prefix: encode(input.Prefix ?? ""),
    Delimiter: encode(input.Delimiter || undefined),
    KeyMarker: encode(input.KeyMarker ?? ""),
    UploadIdMarker: input.UploadIdMarker ?? "",
    NextKeyMarker: encode(page.next?.key),
    NextUploadIdMarker: page.next?.id,
    MaxUploads: limit,
    EncodingType: input.EncodingType,
    IsTruncated: page.next !== undefined,
    Uploads: page.uploads.map((upload) => listed(upload, bucket, encode)),
    CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  };
});

/** All of them: uploads in progress are few. Ordered by key, then by their beginning. */
async function uploadsAfterMarker(reader: Reader, input: ListMultipartUploadsRequest): Promise<Upload[]> {
  const prefix = input.Prefix ?? "";
  const end = prefixEnd(prefix);
  let query = reader.selectFrom("uploads").selectAll().where("bucket", "=", input.Bucket).where("key", ">=", prefix);
  if (end !== undefined) query = query.where("key", "<", end);
  const { KeyMarker: key, UploadIdMarker: id } = input;
  if (key) {
    query = query.where((eb) =>
      id ? eb.or([eb("key", ">", key), eb.and([eb("key", "=", key), eb("id", ">", id)])]) : eb("key", ">", key),
    );
  }
  return (await query.orderBy("key").orderBy("id").execute()).map(uploadOf);
}

interface Page {
  readonly uploads: readonly Upload[];
  readonly commonPrefixes: readonly string[];
  /** The markers of the next page; undefined: this is the last. */
  readonly next: { readonly key: string; readonly id: string | undefined } | undefined;
}

function foldedPage(following: readonly Upload[], input: ListMultipartUploadsRequest, limit: number): Page {
  const uploads: Upload[] = [];
  const commonPrefixes: string[] = [];
  let next: Page["next"];
  const folding = { prefix: input.Prefix ?? "", delimiter: input.Delimiter ?? "" };
  for (const upload of following) {
    const folded = commonPrefixOf(upload.key, folding);
    const isSeen = folded !== undefined && (folded === commonPrefixes.at(-1) || input.KeyMarker?.startsWith(folded));
    if (isSeen) continue;
    if (uploads.length + commonPrefixes.length === limit) return { uploads, commonPrefixes, next };
    if (folded === undefined) uploads.push(upload);
    else commonPrefixes.push(folded);
    next = folded === undefined ? upload : { key: folded, id: undefined };
  }
  return { uploads, commonPrefixes, next: undefined };
}

const listed = (upload: Upload, bucket: Bucket, encode: Encoder): MultipartUpload => ({
  UploadId: upload.id,
  Key: encode(upload.key),
  Initiated: upload.initiatedAt,
  StorageClass: upload.attributes.StorageClass ?? "STANDARD",
  Owner: ownerOf({ account: accessIn(bucket, upload.access).owner }),
  Initiator: initiatorOf(upload),
  ChecksumAlgorithm: upload.checksum?.algorithm,
  ChecksumType: upload.checksum?.type,
});
