// Default encryption of a bucket. Salvia stores objects as they are (docs/decisions/0003), so there is none, and nobody can ask for it.
import { notImplemented } from "../errors.ts";
import { operation } from "../s3-context.ts";
import { bucketOfRequest, missingSetting, setting } from "./setting.ts";

const encryption = setting<unknown>(
  "encryption",
  "ServerSideEncryptionConfigurationNotFoundError",
  "The server side encryption configuration was not found",
);

export const encryptionConfiguration = [
  operation("GetBucketEncryption", async (input, ctx) => {
    await bucketOfRequest(input, ctx);
    throw missingSetting(encryption, input.Bucket);
  }),
  operation("PutBucketEncryption", async (input, ctx) => {
    await bucketOfRequest(input, ctx);
    throw notImplemented("encryption of a bucket's objects; put the data folder on an encrypted volume");
  }),
  operation("DeleteBucketEncryption", async (input, ctx) => void (await bucketOfRequest(input, ctx))),
];
