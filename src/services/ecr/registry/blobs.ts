// /v2/NAME/blobs/DIGEST: layers and configurations.
import type { RouteResponse } from "../../service.ts";
import { isLayerNeeded } from "../core/images.ts";
import type { Layer } from "../core/layers.ts";
import { RegistryError } from "./registry-error.ts";
import type { Visit } from "./registry.ts";
import { rangeOf, requireDigest } from "./registry-request.ts";

const blobUnknown = (): RegistryError => new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry");

async function requireLayer({ parts, repository }: Visit, digest: string): Promise<Layer> {
  const layer = await parts.layers.find(repository.uid, digest);
  if (!layer) throw blobUnknown();
  return layer;
}

export async function getBlob(visit: Visit, given: string): Promise<RouteResponse> {
  const digest = requireDigest(given);
  const { blobId, sizeBytes } = await requireLayer(visit, digest);
  const { request, parts } = visit;
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "accept-ranges": "bytes",
    "cache-control": "max-age=31536000, private",
    "x-content-type-options": "nosniff",
  };
  if (request.method === "HEAD") return { status: 200, headers: { ...headers, "content-length": String(sizeBytes) } };
  const range = rangeOf(request, sizeBytes);
  const body = await parts.storage.read(blobId, range);
  if (!range) return { status: 200, headers: { ...headers, "content-length": String(sizeBytes) }, body };
  const { start, end } = range;
  return {
    status: 206,
    headers: {
      ...headers,
      "content-length": String(end - start + 1),
      "content-range": `bytes ${start}-${end}/${sizeBytes}`,
    },
    body,
  };
}

/** Only what no image needs: other registries let an image lose a layer. */
export async function deleteBlob({ parts, repository }: Visit, given: string): Promise<RouteResponse> {
  const digest = requireDigest(given);
  if (await isLayerNeeded(parts.store.read, repository.uid, digest))
    throw new RegistryError(405, "UNSUPPORTED", "an image of this repository needs the blob");
  if (!(await parts.layers.unlink(repository.uid, digest))) throw blobUnknown();
  return { status: 202 };
}
