// Finds a model archive by its URI, as the role of its model, where that has one; else as the model's account.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Objects, StoredObject } from "../context.ts";
import { accessOf, type Roles } from "../role-access.ts";
import { parseS3Uri } from "../s3-uri.ts";

interface ModelDataPlace {
  readonly account: string;
  readonly region: string;
  readonly roleArn: string | undefined;
  readonly uri: string;
}

interface Parts {
  readonly objects: Objects;
  readonly roles: Roles;
}

/** "denied" where the role may not read it; undefined when there is no such bucket or object, or, without a role, the bucket is another account's. */
export async function findModelData(
  { objects, roles }: Parts,
  { account, region, roleArn, uri }: ModelDataPlace,
): Promise<StoredObject | "denied" | undefined> {
  const place = parseS3Uri(uri);
  if (!place || place.key === "") return undefined;
  const { bucket, key } = place;
  const decision = roleArn === undefined ? undefined : await accessOf(roles, roleArn, region).read(bucket, key);
  if (decision?.owner !== undefined && decision.problem !== undefined) return "denied";
  try {
    return await objects.head(decision?.owner ?? account, bucket, key);
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}
