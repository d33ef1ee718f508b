// How the rest of Salvia finds an image that a job names: whether it is of one of our registries, what its bytes are called there,
// and what a container engine logs in with. Permissions are the execution role's, as on AWS.
import type { Store } from "../../database/store.ts";
import type { RoleDecision, NeededAccess } from "../iam/index.ts";
import { findRepository, repositoryArn } from "./core/repositories.ts";
import { findImage, type Image } from "./core/images.ts";
import {
  parseImageUri,
  pathOfRepository,
  type ImageName,
  type Registry,
  type RepositoryName,
} from "./core/image-name.ts";
import type { Tickets } from "./core/tickets.ts";

export interface ImageRequest {
  /** As in AlgorithmSpecification.TrainingImage or PrimaryContainer.Image. */
  readonly image: string;
  /** Of the job or endpoint: whose registry a name without an account means. */
  readonly account: string;
  readonly region: string;
  readonly executionRoleArn: string;
}

export type FoundImage =
  /** In a registry of this server. */
  | {
      readonly kind: "registry";
      /** localhost:PORT/…@sha256:…: the very image that was found, whatever becomes of its tag. */
      readonly pullName: string;
      readonly credential: { readonly username: "AWS"; readonly password: string; readonly server: string };
      readonly digest: string;
      readonly mediaType: string;
      readonly sizeBytes: number;
      /** Names by which an engine that has built the image itself may have it. */
      readonly localNames: readonly string[];
    }
  /** Named like one of ours, and not pushed: a container engine may have it under one of the names. */
  | { readonly kind: "local"; readonly localNames: readonly string[]; readonly problem: string }
  /** The role may not pull it, in AWS's words. */
  | { readonly kind: "denied"; readonly problem: string }
  /** Of another registry, or of the engine alone. */
  | { readonly kind: "foreign"; readonly name: string };

export interface Images {
  /** Looks again on every call: tags move. Undecided names are `foreign`. */
  find(request: ImageRequest): Promise<FoundImage>;
}

export interface ImagesParts {
  readonly store: Store;
  readonly tickets: Tickets;
  readonly serverUrl: () => string;
  readonly roles: {
    decideForRole(roleArn: string, region: string, access: NeededAccess): Promise<RoleDecision>;
  };
}

const pullActions = ["BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability"] as const;

export const repositoryAccess = (action: string, repository: RepositoryName): NeededAccess => ({
  action: `ecr:${action}`,
  resource: repositoryArn(repository),
  repository,
  keys: {},
});

const portOf = (url: string): string => (URL.canParse(url) ? new URL(url).port || "80" : "");

export function createImages(parts: ImagesParts): Images {
  return {
    find: async (request) => {
      const port = portOf(parts.serverUrl());
      const name = parseImageUri(request.image, request, port);
      if (!name) return { kind: "foreign", name: request.image };
      const server = `localhost:${port}`;
      const localNames = localNamesOf(request, name, server);
      const repository = await findRepository(parts.store.read, name);
      const image = repository && (await findImage(parts.store.read, repository.uid, referenceOf(name)));
      if (!image) return { kind: "local", localNames, problem: missing(name) };
      const problem = await denialOf(parts, request, name);
      if (problem !== undefined) return { kind: "denied", problem };
      return { ...inRegistry(parts, request, name, image, server), localNames };
    },
  };
}

const referenceOf = ({ digest, tag = "latest" }: ImageName) => (digest === undefined ? { tag } : { digest });

const suffixOf = ({ tag, digest }: ImageName): string =>
  digest === undefined ? `:${tag ?? "latest"}` : `${tag === undefined ? "" : `:${tag}`}@${digest}`;

const missing = (name: ImageName): string =>
  `The image ${name.name}${suffixOf(name)} does not exist in the registry with id '${name.account}' in ${name.region}.`;

function localNamesOf({ image, account, region }: ImageRequest, name: ImageName, server: string): readonly string[] {
  const suffix = suffixOf(name);
  const isOwn = name.account === account && name.region === region;
  const path = pathOfRepository(name);
  return [
    ...new Set([
      image,
      `${path}${suffix}`,
      `${server}/${path}${suffix}`,
      ...(isOwn ? [`${server}/${name.name}${suffix}`] : []),
    ]),
  ];
}

async function denialOf(
  { roles }: ImagesParts,
  request: ImageRequest,
  name: RepositoryName,
): Promise<string | undefined> {
  for (const action of pullActions) {
    const { account, region, name: repository } = name;
    const access = repositoryAccess(action, { account, region, name: repository });
    const { problem } = await roles.decideForRole(request.executionRoleArn, name.region, access);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function inRegistry(
  { tickets }: ImagesParts,
  { executionRoleArn }: ImageRequest,
  name: ImageName,
  image: Image,
  server: string,
) {
  const registry: Registry = { account: name.account, region: name.region };
  const { password } = tickets.sealLogin({ ...registry, caller: callerOfRole(executionRoleArn) });
  return {
    kind: "registry" as const,
    pullName: `${server}/${pathOfRepository(name)}@${image.digest}`,
    credential: { username: "AWS" as const, password, server },
    digest: image.digest,
    mediaType: image.mediaType,
    sizeBytes: image.sizeBytes,
  };
}

/** A session of the role, as SageMaker makes one. */
function callerOfRole(roleArn: string) {
  const [, account = "", path = ""] = /^arn:[\w-]+:iam::(\d{12}):role\/(.+)$/.exec(roleArn) ?? [];
  const role = path.split("/").at(-1) ?? "";
  return {
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/SageMaker`,
    userId: `${role}:SageMaker`,
    accessKeyId: "ASIA",
  };
}
