// Finds a model archive by its URI, as the account that the model belongs to.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Objects, StoredObject } from "../context.ts";
import { parseS3Uri } from "../s3-uri.ts";

/** Undefined when there is no such bucket or object, or the bucket is another account's. */
export async function findModelData(objects: Objects, account: string, uri: string): Promise<StoredObject | undefined> {
  const place = parseS3Uri(uri);
  if (!place || place.key === "") return undefined;
  try {
    return await objects.head(account, place.bucket, place.key);
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}
