// /v2/NAME/manifests/REFERENCE, /v2/NAME/tags/list and /v2/NAME/referrers/DIGEST.
import type { RouteRequest, RouteResponse } from "../../service.ts";
import { deleteImage, deleteTag, digestOfTag, findImage, imageOf, notePull, placeImage } from "../core/images.ts";
import { indexThatNeeds, type Image } from "../core/images.ts";
import {
  digestOf,
  ManifestProblem,
  maxManifestBytes,
  ociIndex,
  readManifest,
  type Manifest,
} from "../core/manifest.ts";
import { requireRepository } from "../core/repositories.ts";
import { RegistryError } from "./registry-error.ts";
import type { Visit } from "./registry.ts";
import { requireDigest, requireReference } from "./registry-request.ts";

const manifestUnknown = (): RegistryError => new RegistryError(404, "MANIFEST_UNKNOWN", "manifest unknown to registry");

export async function getManifest({ parts, repository, request }: Visit, given: string): Promise<RouteResponse> {
  const image = await findImage(parts.store.read, repository.uid, requireReference(given));
  if (!image) throw manifestUnknown();
  const headers = {
    "content-type": image.mediaType,
    "docker-content-digest": image.digest,
    etag: `"${image.digest}"`,
    "content-length": String(image.manifest.byteLength),
    "x-content-type-options": "nosniff",
  };
  if (request.method === "HEAD") return { status: 200, headers };
  await notePull(parts.store.write.bind(parts.store), repository.uid, image, parts.clock.now().getTime());
  return { status: 200, headers, body: image.manifest };
}

async function readBody({ body, headers }: RouteRequest): Promise<Uint8Array> {
  const tooLarge = (): RegistryError =>
    new RegistryError(413, "SIZE_INVALID", `a manifest has at most ${maxManifestBytes} bytes`);
  if (Number(headers["content-length"] ?? 0) > maxManifestBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxManifestBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function manifestOf(bytes: Uint8Array, mediaType: string | undefined): Manifest {
  try {
    return readManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof ManifestProblem) throw new RegistryError(400, "MANIFEST_INVALID", error.message);
    throw error;
  }
}

export async function putManifest(visit: Visit, given: string): Promise<RouteResponse> {
  const { parts, repository, request, path } = visit;
  const reference = requireReference(given);
  const wanted = "digest" in reference ? reference.digest : undefined;
  const tag = "tag" in reference ? reference.tag : undefined;
  const manifest = manifestOf(await readBody(request), request.headers["content-type"]);
  const digest = digestOf(manifest.bytes, wanted);
  if (wanted !== undefined && wanted !== digest)
    throw new RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  await parts.store.write(async (tx) => {
    // Its settings may have changed while the body came.
    const current = await requireRepository(tx, repository);
    await placeImage(tx, current, { manifest, digest, tag }, parts.clock.now().getTime());
  });
  return {
    status: 201,
    headers: {
      location: `/v2/${path}/manifests/${digest}`,
      "docker-content-digest": digest,
      ...(manifest.subject !== undefined && { "oci-subject": manifest.subject }),
    },
  };
}

/** By tag only the tag goes; by digest the image and all its tags. */
export async function deleteManifest({ parts, repository }: Visit, given: string): Promise<RouteResponse> {
  const reference = requireReference(given);
  const nowMs = parts.clock.now().getTime();
  const { uid } = repository;
  await parts.store.write(async (tx) => {
    if ("tag" in reference) {
      if ((await digestOfTag(tx, uid, reference.tag)) === undefined) throw manifestUnknown();
      return deleteTag(tx, uid, reference.tag);
    }
    if (!(await findImage(tx, uid, reference))) throw manifestUnknown();
    if ((await indexThatNeeds(tx, uid, reference.digest)) !== undefined)
      throw new RegistryError(405, "UNSUPPORTED", "a manifest list of this repository needs the image");
    return deleteImage(tx, uid, reference.digest, nowMs);
  });
  return { status: 202 };
}

const json = { "content-type": "application/json; charset=utf-8" };
const defaultPage = 1_000;

function pageSizeOf(query: URLSearchParams): number {
  const given = query.get("n");
  if (given === null) return defaultPage;
  if (!/^\d{1,9}$/.test(given)) throw new RegistryError(400, "PAGINATION_NUMBER_INVALID", "n must be a whole number");
  return Math.min(Number(given), defaultPage);
}

export async function listTags({ parts, repository, query, path }: Visit): Promise<RouteResponse> {
  const size = pageSizeOf(query);
  const rows = await parts.store.read
    .selectFrom("ecr_image_tags")
    .select("tag")
    .where("repository_uid", "=", repository.uid)
    .where("tag", ">", query.get("last") ?? "")
    .orderBy("tag")
    .limit(size + 1)
    .execute();
  const tags = rows.slice(0, size).map(({ tag }) => tag);
  const last = tags.at(-1);
  const next = `/v2/${path}/tags/list?n=${size}&last=${encodeURIComponent(last ?? "")}`;
  const hasMore = rows.length > size && last !== undefined;
  return {
    status: 200,
    headers: { ...json, ...(hasMore && { link: `<${next}>; rel="next"` }) },
    body: JSON.stringify({ name: path, tags }),
  };
}

const descriptorOf = (image: Image) => ({
  mediaType: image.mediaType,
  digest: image.digest,
  size: image.manifest.byteLength,
  ...(image.artifactType !== undefined && { artifactType: image.artifactType }),
  ...(image.annotations && { annotations: image.annotations }),
});

/** An index of what refers to the digest, which need not be here. */
export async function listReferrers({ parts, repository, query }: Visit, given: string): Promise<RouteResponse> {
  const subject = requireDigest(given);
  const artifactType = query.get("artifactType");
  const rows = await parts.store.read
    .selectFrom("ecr_images")
    .selectAll()
    .where("repository_uid", "=", repository.uid)
    .where("subject", "=", subject)
    .$if(artifactType !== null, (found) => found.where("artifact_type", "=", artifactType))
    .orderBy("digest")
    .execute();
  const manifests = rows.map(imageOf).map(descriptorOf);
  return {
    status: 200,
    headers: { "content-type": ociIndex, ...(artifactType !== null && { "oci-filters-applied": "artifactType" }) },
    body: JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }),
  };
}
