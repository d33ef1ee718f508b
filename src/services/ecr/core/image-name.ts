// Names of images. A registry is an account in a region; on this server's /v2/ a path that begins with the host name that ECR would
// have says which one, and any other path means the registry of who asks. docs/decisions says why.

export interface Registry {
  readonly account: string;
  readonly region: string;
}

export interface RepositoryName extends Registry {
  readonly name: string;
}

export interface ImageName extends RepositoryName {
  readonly tag?: string;
  readonly digest?: string;
}

/** As ECR's model and the distribution spec have it: each component bounded, no empty ones, no dots alone. */
const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const hostPattern = /^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]{1,32})\.amazonaws\.com(?:\.cn)?$/;
/** Its group is the port. */
const localHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/;

const longestName = 256;

export const isRepositoryName = (name: string): boolean =>
  name.length >= 2 && name.length <= longestName && namePattern.test(name);
export const isTag = (tag: string): boolean => tagPattern.test(tag);
export const isDigest = (digest: string): boolean => digestPattern.test(digest);

/** The host name that ECR gives a registry. */
export const ecrHost = ({ account, region }: Registry): string => `${account}.dkr.ecr.${region}.amazonaws.com`;

/** Undefined for a host that is not one of ECR's. */
export function registryOfHost(host: string): Registry | undefined {
  const [, account, region] = hostPattern.exec(host) ?? [];
  return account === undefined || region === undefined ? undefined : { account, region };
}

/** What stands between /v2/ and the verb. Undefined for what is no repository's name. */
export function repositoryOfPath(path: string, own: Registry): RepositoryName | undefined {
  const slash = path.indexOf("/");
  const named = slash < 0 ? undefined : registryOfHost(path.slice(0, slash));
  const name = named ? path.slice(slash + 1) : path;
  return isRepositoryName(name) ? { account: own.account, region: own.region, ...named, name } : undefined;
}

/** The path under /v2/ that means this repository to everybody. */
export const pathOfRepository = (repository: RepositoryName): string => `${ecrHost(repository)}/${repository.name}`;

/**
 * An image of one of our registries, by ECR's own name or by localhost:PORT. Undefined for an image of elsewhere, another port of
 * localhost among them. `own` is whose registry a path without an account means.
 */
export function parseImageUri(uri: string, own: Registry, port: string): ImageName | undefined {
  const [, host = "", path = "", suffix = ""] = /^(?:https?:\/\/)?([^/]+)\/([^:@]*)([:@].*)?$/.exec(uri) ?? [];
  const registry = registryOfHost(host);
  if (!registry && (localHost.exec(host)?.[1] ?? "80") !== port) return undefined;
  const repository = repositoryOfPath(registry ? `${ecrHost(registry)}/${path}` : path, own);
  const reference = parseSuffix(suffix);
  return repository && reference && { ...repository, ...reference };
}

/** :TAG, @DIGEST, both or nothing. */
function parseSuffix(suffix: string): Pick<ImageName, "tag" | "digest"> | undefined {
  const [, tag, digest] = /^(?::([^@]*))?(?:@(.*))?$/.exec(suffix) ?? [];
  if ((tag !== undefined && !isTag(tag)) || (digest !== undefined && !isDigest(digest))) return undefined;
  return { ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}
