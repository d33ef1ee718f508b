// Images of a repository: manifests by digest, tags that point to them, and what they need.
import type { EcrImagesTable } from "../../../database/tables/images.ts";
import type { Reader, Writer } from "../../../database/store.ts";
import { imageExists, layersNotFound, referencedImagesNotFound, repositoryNotFound, tagIsImmutable } from "./errors.ts";
import type { Manifest } from "./manifest.ts";
import { isTagImmutable, type Repository } from "./repositories.ts";

export interface Image {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly manifest: Uint8Array;
  readonly sizeBytes: number;
  readonly subject: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly pushedAt: Date;
  readonly pulledAt: Date | undefined;
}

export type ImageReference = { readonly digest: string } | { readonly tag: string };

export const imageOf = (row: EcrImagesTable): Image => ({
  digest: row.digest,
  mediaType: row.media_type,
  artifactType: row.artifact_type ?? undefined,
  manifest: row.manifest,
  sizeBytes: row.size_bytes,
  subject: row.subject ?? undefined,
  // Written by us alone.
  annotations: row.annotations === null ? undefined : (JSON.parse(row.annotations) as Record<string, string>),
  pushedAt: new Date(row.pushed_at),
  pulledAt: row.pulled_at === null ? undefined : new Date(row.pulled_at),
});

export async function digestOfTag(read: Reader, repositoryUid: string, tag: string): Promise<string | undefined> {
  const row = await read
    .selectFrom("ecr_image_tags")
    .select("digest")
    .where("repository_uid", "=", repositoryUid)
    .where("tag", "=", tag)
    .executeTakeFirst();
  return row?.digest;
}

export async function findImage(
  read: Reader,
  repositoryUid: string,
  reference: ImageReference,
): Promise<Image | undefined> {
  const digest = "digest" in reference ? reference.digest : await digestOfTag(read, repositoryUid, reference.tag);
  if (digest === undefined) return undefined;
  const row = await read
    .selectFrom("ecr_images")
    .selectAll()
    .where("repository_uid", "=", repositoryUid)
    .where("digest", "=", digest)
    .executeTakeFirst();
  return row && imageOf(row);
}

export async function tagsOfImages(
  read: Reader,
  repositoryUid: string,
  digests: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const tags = new Map<string, string[]>();
  if (digests.length === 0) return tags;
  const rows = await read
    .selectFrom("ecr_image_tags")
    .select(["tag", "digest"])
    .where("repository_uid", "=", repositoryUid)
    .where("digest", "in", digests)
    .orderBy("tag")
    .execute();
  for (const { tag, digest } of rows) tags.set(digest, [...(tags.get(digest) ?? []), tag]);
  return tags;
}

export interface NewImage {
  readonly manifest: Manifest;
  readonly digest: string;
  readonly tag: string | undefined;
  /** Refuse what is there already; docker pushes the same image again without asking. */
  readonly mustBeNew?: boolean;
}

/** In one transaction: the image is there, with its tag. Throws what PutImage throws. */
export async function placeImage(tx: Writer, repository: Repository, image: NewImage, nowMs: number): Promise<void> {
  const { uid } = repository;
  const { tag, digest } = image;
  await requireNeeded(tx, repository, image.manifest);
  const tagged = tag === undefined ? undefined : await digestOfTag(tx, uid, tag);
  if (tag !== undefined && tagged !== undefined && tagged !== digest && isTagImmutable(repository, tag))
    throw tagIsImmutable(tag, repository.name);
  const isThere = (await findImage(tx, uid, { digest })) !== undefined;
  if (image.mustBeNew === true && isThere && (tag === undefined || tagged === digest))
    throw imageExists(digest, tag, repository.name, repository.account);
  if (!isThere) await insertImage(tx, uid, image, nowMs);
  if (tag === undefined) return;
  await tx
    .insertInto("ecr_image_tags")
    .values({ repository_uid: uid, tag, digest })
    .onConflict((conflict) => conflict.columns(["repository_uid", "tag"]).doUpdateSet({ digest }))
    .execute();
}

async function requireNeeded(tx: Writer, { uid, name, account }: Repository, manifest: Manifest): Promise<void> {
  // The lock keeps the repository until the image is in it.
  const { numUpdatedRows } = await tx
    .updateTable("ecr_repositories")
    .set((eb) => ({ created_at: eb.ref("created_at") }))
    .where("uid", "=", uid)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw repositoryNotFound(name, account);
  const { layers, images } = manifest;
  const missing = await missingFrom(tx, "ecr_repository_layers", uid, layers);
  if (missing.length > 0) throw layersNotFound(missing, name, account);
  const missingImages = await missingFrom(tx, "ecr_images", uid, images);
  if (missingImages.length > 0) throw referencedImagesNotFound(missingImages, name, account);
}

async function missingFrom(
  tx: Writer,
  table: "ecr_repository_layers" | "ecr_images",
  uid: string,
  digests: readonly string[],
): Promise<readonly string[]> {
  if (digests.length === 0) return [];
  const rows = await tx
    .selectFrom(table)
    .select("digest")
    .where("repository_uid", "=", uid)
    .where("digest", "in", digests)
    .execute();
  const found = new Set(rows.map(({ digest }) => digest));
  return digests.filter((digest) => !found.has(digest));
}

async function insertImage(tx: Writer, uid: string, { manifest, digest }: NewImage, nowMs: number): Promise<void> {
  const { layers, images, annotations } = manifest;
  const row = {
    repository_uid: uid,
    digest,
    media_type: manifest.mediaType,
    artifact_type: manifest.artifactType ?? null,
    manifest: manifest.bytes,
    size_bytes: manifest.sizeBytes,
    subject: manifest.subject ?? null,
    annotations: annotations ? JSON.stringify(annotations) : null,
    pushed_at: nowMs,
    pulled_at: null,
  };
  await tx.insertInto("ecr_images").values(row).execute();
  const needs = [
    ...layers.map((needed) => ({ repository_uid: uid, digest, kind: "layer", needed })),
    ...images.map((needed) => ({ repository_uid: uid, digest, kind: "image", needed })),
  ];
  if (needs.length > 0) await tx.insertInto("ecr_references").values(needs).execute();
}

/** The index that needs this image, if one does. */
export async function indexThatNeeds(tx: Writer, uid: string, digest: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom("ecr_references")
    .select("digest")
    .where("repository_uid", "=", uid)
    .where("needed", "=", digest)
    .where("kind", "=", "image")
    .executeTakeFirst();
  return row?.digest;
}

/** Of a layer: whether an image of the repository names it. */
export async function isLayerNeeded(read: Reader, uid: string, digest: string): Promise<boolean> {
  const row = await read
    .selectFrom("ecr_references")
    .select("digest")
    .where("repository_uid", "=", uid)
    .where("needed", "=", digest)
    .where("kind", "=", "layer")
    .executeTakeFirst();
  return row !== undefined;
}

/** The image, its tags, and its hold on layers, which stay for a while: the next push may have them too. */
export async function deleteImage(tx: Writer, uid: string, digest: string, nowMs: number): Promise<void> {
  const layers = await tx
    .selectFrom("ecr_references")
    .select("needed")
    .where("repository_uid", "=", uid)
    .where("digest", "=", digest)
    .where("kind", "=", "layer")
    .execute();
  const needed = layers.map((row) => row.needed);
  if (needed.length > 0)
    await tx
      .updateTable("ecr_repository_layers")
      .set({ used_at: nowMs })
      .where("repository_uid", "=", uid)
      .where("digest", "in", needed)
      .execute();
  for (const table of ["ecr_images", "ecr_image_tags", "ecr_references"] as const)
    await tx.deleteFrom(table).where("repository_uid", "=", uid).where("digest", "=", digest).execute();
}

export async function deleteTag(tx: Writer, uid: string, tag: string): Promise<void> {
  await tx.deleteFrom("ecr_image_tags").where("repository_uid", "=", uid).where("tag", "=", tag).execute();
}

const pullNotedEveryMs = 3_600_000;

/** ECR, too, notes pulls now and then only. */
export async function notePull(
  write: <T>(work: (tx: Writer) => Promise<T>) => Promise<T>,
  uid: string,
  { digest, pulledAt }: Image,
  nowMs: number,
): Promise<void> {
  if (pulledAt && pulledAt.getTime() > nowMs - pullNotedEveryMs) return;
  await write((tx) =>
    tx
      .updateTable("ecr_images")
      .set({ pulled_at: nowMs })
      .where("repository_uid", "=", uid)
      .where("digest", "=", digest)
      .execute(),
  );
}
