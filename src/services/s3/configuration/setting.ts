// What most of a bucket's configuration is: one document, put, given back, deleted.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Reader } from "../../../database/store.ts";
import { requireBucket, type Bucket } from "../bucket/buckets.ts";
import type { S3Context } from "../s3-context.ts";
import { findSetting, removeSetting, saveSetting } from "./bucket-settings.ts";

/** A kind of configuration and, in the type, its document. */
export interface Setting<Document> {
  readonly name: string;
  /** Of the error where there is none. */
  readonly missing: { readonly code: string; readonly message: string };
  /** Never set: carries the type. */
  readonly document?: Document;
}

export const setting = <Document>(name: string, code: string, message: string): Setting<Document> => ({
  name,
  missing: { code, message },
});

export interface OfBucket {
  readonly Bucket: string;
  readonly ExpectedBucketOwner?: string | undefined;
}

export const bucketOfRequest = (input: OfBucket, ctx: S3Context): Promise<Bucket> =>
  requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);

export async function putSetting<Document>(
  input: OfBucket,
  ctx: S3Context,
  { name }: Setting<Document>,
  document: Document,
): Promise<void> {
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    await saveSetting(tx, bucket.name, name, JSON.stringify(document), ctx.clock.now());
  });
}

/** Of whichever account's bucket. */
export async function readSetting<Document>(
  reader: Reader,
  bucket: string,
  { name }: Setting<Document>,
): Promise<Document | undefined> {
  const text = await findSetting(reader, bucket, name);
  // Our own JSON, written by putSetting.
  return text === undefined ? undefined : (JSON.parse(text) as Document);
}

export async function getSetting<Document>(
  input: OfBucket,
  ctx: S3Context,
  wanted: Setting<Document>,
): Promise<Document | undefined> {
  const bucket = await bucketOfRequest(input, ctx);
  return readSetting(ctx.store.read, bucket.name, wanted);
}

export async function requireSetting<Document>(
  input: OfBucket,
  ctx: S3Context,
  wanted: Setting<Document>,
): Promise<Document> {
  const document = await getSetting(input, ctx, wanted);
  if (document !== undefined) return document;
  throw missingSetting(wanted, input.Bucket);
}

export const missingSetting = ({ missing }: Setting<unknown>, bucket: string): AwsError =>
  new AwsError(missing.code, missing.message, { httpStatus: 404, fields: { BucketName: bucket } });

export async function deleteSetting(input: OfBucket, ctx: S3Context, { name }: Setting<unknown>): Promise<void> {
  await ctx.store.write(async (tx) => {
    const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
    await removeSetting(tx, bucket.name, name);
  });
}
