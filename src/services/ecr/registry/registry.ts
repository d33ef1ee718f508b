// The registry that docker speaks with, on /v2/: the OCI distribution spec 1.1 over the same rows and bytes as ECR's operations.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
import type { Store } from "../../../database/store.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Log } from "../../../lib/log.ts";
import type { BlobStorage } from "../../../storage/storage.ts";
import type { HttpRoute, RouteRequest, RouteResponse } from "../../service.ts";
import { repositoryOfPath } from "../core/image-name.ts";
import type { Layers } from "../core/layers.ts";
import { findRepository, requireRepository, type Repository } from "../core/repositories.ts";
import type { Login } from "../core/tickets.ts";
import { deleteBlob, getBlob } from "./blobs.ts";
import { loginOf, requireAccess, type CallersParts, type RegistryAction } from "./callers.ts";
import { deleteManifest, getManifest, listReferrers, listTags, putManifest } from "./manifests.ts";
import { asRegistryError, errorAnswer, RegistryError } from "./registry-error.ts";
import { decodedPath, targetOf, type Target } from "./registry-request.ts";
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from "./uploads.ts";

export interface RegistryParts extends CallersParts {
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly layers: Layers;
  readonly clock: Clock;
  readonly log: Log;
}

/** One request whose caller may do what it asks in that repository. */
export interface Visit {
  readonly parts: RegistryParts;
  readonly request: RouteRequest;
  readonly query: URLSearchParams;
  readonly login: Login;
  readonly repository: Repository;
  /** The repository as the client calls it. */
  readonly path: string;
}

interface Verb {
  /** All of them must be allowed. */
  readonly actions: readonly RegistryAction[];
  answer(visit: Visit): Promise<RouteResponse>;
}

const unsupported = (allow: readonly string[]): RegistryError =>
  new RegistryError(405, "UNSUPPORTED", "the method is not supported here", { allow: allow.join(", ") });

const reading = (actions: readonly RegistryAction[], answer: Verb["answer"]): Readonly<Record<string, Verb>> => ({
  GET: { actions, answer },
  HEAD: { actions, answer },
});

/** By method, for one target. */
function verbsOf(target: Exclude<Target, { kind: "base" }>): Readonly<Record<string, Verb>> {
  switch (target.kind) {
    case "blob": {
      const { digest } = target;
      return {
        GET: { actions: ["GetDownloadUrlForLayer"], answer: (visit) => getBlob(visit, digest) },
        HEAD: { actions: ["BatchCheckLayerAvailability"], answer: (visit) => getBlob(visit, digest) },
        DELETE: { actions: ["BatchDeleteImage"], answer: (visit) => deleteBlob(visit, digest) },
      };
    }
    case "manifest": {
      const { reference } = target;
      return {
        ...reading(["BatchGetImage"], (visit) => getManifest(visit, reference)),
        PUT: { actions: ["PutImage"], answer: (visit) => putManifest(visit, reference) },
        DELETE: { actions: ["BatchDeleteImage"], answer: (visit) => deleteManifest(visit, reference) },
      };
    }
    case "uploads":
      return { POST: { actions: ["InitiateLayerUpload"], answer: postUpload } };
    case "upload": {
      const { id } = target;
      return {
        ...reading(["UploadLayerPart"], (visit) => getUpload(visit, id)),
        PATCH: { actions: ["UploadLayerPart"], answer: (visit) => patchUpload(visit, id) },
        PUT: { actions: ["CompleteLayerUpload"], answer: (visit) => putUpload(visit, id) },
        DELETE: { actions: ["UploadLayerPart"], answer: (visit) => deleteUpload(visit, id) },
      };
    }
    case "tags":
      return reading(["ListImages"], listTags);
    case "referrers":
      return reading(["BatchGetImage"], (visit) => listReferrers(visit, target.digest));
  }
}

const version = { "docker-distribution-api-version": "registry/2.0" };

export const registryRoute = (parts: RegistryParts): HttpRoute => ({
  prefix: "/v2/",
  handle: async (request) => {
    const answer = await answered(parts, request);
    return { ...answer, headers: { ...version, ...answer.headers } };
  },
});

async function answered(parts: RegistryParts, request: RouteRequest): Promise<RouteResponse> {
  try {
    return await answerTo(parts, request);
  } catch (error) {
    const known = asRegistryError(error);
    if (known) return errorAnswer(known);
    // A client that left in the middle of its body is no bug.
    if (!request.signal.aborted)
      parts.log.error("registry request failed", { method: request.method, path: request.rawPath, error });
    return errorAnswer(new RegistryError(500, "UNKNOWN", "the registry failed"));
  }
}

async function answerTo(parts: RegistryParts, request: RouteRequest): Promise<RouteResponse> {
  const query = new URLSearchParams(request.rawQuery);
  const path = decodedPath(request.rawPath.slice("/v2/".length));
  const target = path === undefined ? undefined : targetOf(path);
  const ticketed = target?.kind === "blob" ? await withTicket(parts, request, query, target.digest) : undefined;
  if (ticketed) return ticketed;
  const login = loginOf(parts, request);
  if (!target) throw new RegistryError(404, "UNSUPPORTED", "there is nothing at this path");
  if (target.kind === "base") return baseAnswer(request);
  const verbs = verbsOf(target);
  const verb = Object.hasOwn(verbs, request.method) ? verbs[request.method] : undefined;
  if (!verb) throw unsupported(Object.keys(verbs));
  const name = repositoryOfPath(target.path, login);
  if (!name) throw new RegistryError(400, "NAME_INVALID", "invalid repository name");
  for (const action of verb.actions) await requireAccess(parts, login, name, action, request);
  const repository = await requireRepository(parts.store.read, name);
  return verb.answer({ parts, request, query, login, repository, path: target.path });
}

const baseAnswer = ({ method }: RouteRequest): RouteResponse => {
  if (method !== "GET" && method !== "HEAD") throw unsupported(["GET", "HEAD"]);
  return { status: 200, headers: { "content-type": "application/json" }, body: "{}" };
};

/** GetDownloadUrlForLayer has looked at permissions: the address alone opens this one layer for an hour. */
async function withTicket(
  parts: RegistryParts,
  request: RouteRequest,
  query: URLSearchParams,
  digest: string,
): Promise<RouteResponse | undefined> {
  const given = query.get("ticket");
  if (given === null || (request.method !== "GET" && request.method !== "HEAD")) return undefined;
  const ticket = parts.tickets.openLayer(given);
  const denied = (message: string): RegistryError => new RegistryError(403, "DENIED", message);
  if (ticket === "expired") throw denied("the address has expired");
  if (!ticket || ticket.digest !== digest) throw denied("the address is not valid");
  const row = await parts.store.read
    .selectFrom("ecr_repositories")
    .select(["account", "region", "name"])
    .where("uid", "=", ticket.repositoryUid)
    .executeTakeFirst();
  const repository = row && (await findRepository(parts.store.read, row));
  if (!repository) throw new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry");
  const { account, region } = repository;
  const caller = { account, arn: "", userId: "", accessKeyId: "" };
  return getBlob(
    { parts, request, query, login: { account, region, caller }, repository, path: repository.name },
    digest,
  );
}
