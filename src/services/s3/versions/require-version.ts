// Finds the object, or the version of it, that a request speaks of.
import type { Reader } from "../../../database/store.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import type { Bucket } from "../bucket/buckets.ts";
import { noSuchKey } from "../errors.ts";
import { findObject, type StoredObject } from "../object/objects.ts";
import { checkVersionId } from "./version-id.ts";
import { findKeptVersion, newestKeptVersion, type KeptVersion } from "./version-rows.ts";

/** Throws NoSuchKey, NoSuchVersion, or MethodNotAllowed for a delete marker. */
export async function requireVersion(
  reader: Reader,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
): Promise<StoredObject> {
  checkVersionId(versionId);
  const current = await findObject(reader, bucket.name, key);
  if (current && (versionId === undefined || versionId === current.versionId)) return current;
  const hasVersions = bucket.versioning !== undefined;
  if (versionId === undefined) {
    const marker = hasVersions ? await newestKeptVersion(reader, bucket.name, key) : undefined;
    throw marker ? deleted(key, marker) : noSuchKey(key);
  }
  const kept = hasVersions ? await findKeptVersion(reader, bucket.name, key, versionId) : undefined;
  if (!kept) throw noSuchVersion(key, versionId);
  if (kept.isDeleteMarker) throw isDeleteMarker(kept);
  return kept;
}

const noSuchVersion = (key: string, versionId: string): AwsError =>
  new AwsError("NoSuchVersion", "The specified version does not exist.", {
    fields: { Key: key, VersionId: versionId },
  });

const deleted = (key: string, { versionId }: KeptVersion): AwsError =>
  new AwsError("NoSuchKey", "The specified key does not exist.", {
    fields: { Key: key },
    headers: { "x-amz-delete-marker": "true", "x-amz-version-id": versionId },
  });

const isDeleteMarker = ({ versionId, modifiedAt }: KeptVersion): AwsError =>
  new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", {
    fields: { Method: "GET", ResourceType: "DeleteMarker" },
    headers: {
      "x-amz-delete-marker": "true",
      "x-amz-version-id": versionId,
      "Last-Modified": modifiedAt.toUTCString(),
      Allow: "DELETE",
    },
  });
