// /v2/NAME/blobs/uploads/: a layer comes in one piece, in chunks, as a stream, or by a mount from another repository.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
import type { RouteResponse } from "../../service.ts";
import { findRepository } from "../core/repositories.ts";
import { repositoryOfPath } from "../core/image-name.ts";
import { UploadProblem, type Upload } from "../core/layers.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { requireAccess } from "./callers.ts";
import { RegistryError } from "./registry-error.ts";
import type { Visit } from "./registry.ts";
import { chunkRangeOf, requireDigest } from "./registry-request.ts";

const uploadPath = ({ path }: Visit, id: string): string => `/v2/${path}/blobs/uploads/${id}`;

/** A range of nothing is written as registries do: there is no other way to. */
const uploadHeaders = (visit: Visit, { id, sizeBytes }: Upload) => ({
  location: uploadPath(visit, id),
  range: `0-${Math.max(0, sizeBytes - 1)}`,
  "docker-upload-uuid": id,
});

const blobCreated = ({ path }: Visit, digest: string): RouteResponse => ({
  status: 201,
  headers: { location: `/v2/${path}/blobs/${digest}`, "docker-content-digest": digest },
});

const unknownUpload = (): RegistryError =>
  new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");

const wrongDigest = (): RegistryError =>
  new RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content");

/** What went wrong with an upload, in the registry's words. */
async function told<T>(visit: Visit, id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UploadProblem)) throw error;
    if (error.kind === "gone") throw unknownUpload();
    if (error.kind === "other-digest") throw wrongDigest();
    const upload = await visit.parts.layers.findUpload(visit.repository.uid, id);
    if (!upload) throw unknownUpload();
    throw new RegistryError(
      416,
      "RANGE_INVALID",
      "the chunk does not begin where the upload ends",
      uploadHeaders(visit, upload),
    );
  }
}

export async function postUpload(visit: Visit): Promise<RouteResponse> {
  const { query, parts, repository, request } = visit;
  const mount = query.get("mount");
  if (mount !== null && (await isMounted(visit, requireDigest(mount)))) return blobCreated(visit, mount);
  const given = query.get("digest");
  const digest = given === null ? undefined : requireDigest(given);
  const upload = await parts.layers.begin(repository.uid);
  if (digest === undefined) return { status: 202, headers: uploadHeaders(visit, upload) };
  try {
    return await told(visit, upload.id, async () => {
      await parts.layers.append(repository.uid, upload.id, request.body);
      await parts.layers.complete(repository.uid, upload.id, [digest], true);
      return blobCreated(visit, digest);
    });
  } catch (error) {
    await parts.layers.cancel(repository.uid, upload.id);
    throw error;
  }
}

/** Only from where the caller may pull: otherwise it learns nothing and uploads. */
async function isMounted({ query, login, parts, repository, request }: Visit, digest: string): Promise<boolean> {
  const from = repositoryOfPath(query.get("from") ?? "", login);
  if (!from) return false;
  try {
    await requireAccess(parts, login, from, "BatchGetImage", request);
    await requireAccess(parts, login, from, "GetDownloadUrlForLayer", request);
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
  const source = await findRepository(parts.store.read, from);
  return source !== undefined && parts.layers.mount(source.uid, repository.uid, digest);
}

export async function patchUpload(visit: Visit, id: string): Promise<RouteResponse> {
  const { parts, repository, request } = visit;
  const range = chunkRangeOf(request);
  const upload = await told(visit, id, () => parts.layers.append(repository.uid, id, request.body, range?.start));
  return { status: 202, headers: uploadHeaders(visit, upload) };
}

/** Ends the upload; its last chunk may come with it. */
export async function putUpload(visit: Visit, id: string): Promise<RouteResponse> {
  const { parts, repository, request, query } = visit;
  const digest = requireDigest(query.get("digest"));
  const range = chunkRangeOf(request);
  const { headers } = request;
  const hasBody = Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined;
  await told(visit, id, async () => {
    if (hasBody) await parts.layers.append(repository.uid, id, request.body, range?.start);
    return parts.layers.complete(repository.uid, id, [digest], true);
  });
  return blobCreated(visit, digest);
}

export async function getUpload(visit: Visit, id: string): Promise<RouteResponse> {
  const upload = await visit.parts.layers.findUpload(visit.repository.uid, id);
  if (!upload) throw unknownUpload();
  return { status: 204, headers: uploadHeaders(visit, upload) };
}

export async function deleteUpload({ parts, repository }: Visit, id: string): Promise<RouteResponse> {
  if (!(await parts.layers.cancel(repository.uid, id))) throw unknownUpload();
  return { status: 204 };
}
