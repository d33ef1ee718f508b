// Names of versions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html#version-ids
import type { Random } from "../../../lib/random.ts";
import type { Bucket } from "../bucket/buckets.ts";
import { invalidArgument } from "../errors.ts";
import { nullVersion, type StoredObject } from "../object/objects.ts";

const shape = /^[A-Za-z0-9_-]{32}$/;

export const newVersionId = (random: Random): string => random.bytes(24).toString("base64url");

/** Throws where no version can have this name. */
export function checkVersionId(versionId: string | undefined): void {
  if (versionId === undefined || versionId === nullVersion || shape.test(versionId)) return;
  throw invalidArgument("Invalid version id specified", "versionId", versionId);
}

/** Buckets that never had versions do not speak of them. */
export const shownVersion = (
  { versioning }: Pick<Bucket, "versioning">,
  { versionId }: Pick<StoredObject, "versionId">,
): { readonly VersionId?: string } => (versioning === undefined ? {} : { VersionId: versionId });

/** A write names its version only where every write makes one. */
export const writtenVersion = (
  { versioning }: Pick<Bucket, "versioning">,
  { versionId }: Pick<StoredObject, "versionId">,
): { readonly VersionId?: string } => (versioning === "Enabled" ? { VersionId: versionId } : {});
