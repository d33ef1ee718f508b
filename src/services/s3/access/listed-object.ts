// What the authoriser asks about an object in a bucket that has lists.
import type { Reader } from "../../../database/store.ts";
import type { ListGrant } from "../../iam/index.ts";
import { findBucket } from "../bucket/buckets.ts";
import { findObject } from "../object/objects.ts";
import { findKeptVersion } from "../versions/version-rows.ts";
import { accessIn } from "./list-grant.ts";

interface ListedObject {
  /** Account. */
  readonly owner: string;
  readonly grants: readonly ListGrant[];
}

/** Undefined: there is no such object, or no such version of it. A delete marker is none. */
export async function listedObject(
  reader: Reader,
  bucketName: string,
  key: string,
  versionId?: string,
): Promise<ListedObject | undefined> {
  const bucket = await findBucket(reader, bucketName);
  if (!bucket) return undefined;
  const current = await findObject(reader, bucketName, key);
  const isCurrent = versionId === undefined || current?.versionId === versionId;
  const kept = isCurrent ? undefined : await findKeptVersion(reader, bucketName, key, versionId);
  const object = isCurrent ? current : kept;
  if (!object || kept?.isDeleteMarker) return undefined;
  const { owner, grants = [] } = accessIn(bucket, object.access);
  return { owner, grants };
}
