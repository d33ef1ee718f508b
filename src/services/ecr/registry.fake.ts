// A client of the registry for tests: what docker does, in the fewest requests, against a whole server.
import { createHash } from "node:crypto";
import { fakeRegion, startFakeSalvia, type FakeSalvia } from "../../salvia.fake.ts";

export const sha256Of = (bytes: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
export const sha512Of = (bytes: string | Uint8Array): string =>
  `sha512:${createHash("sha512").update(bytes).digest("hex")}`;

export const imageType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";

export interface FakeRegistry {
  readonly salvia: FakeSalvia;
  /** Basic …, of the account's root. */
  readonly authorization: string;
  /** Path below /v2/, or a whole path. */
  ask(method: string, path: string, options?: AskOptions): Promise<Response>;
  /** The digest. */
  pushBlob(repository: string, bytes: string | Uint8Array): Promise<string>;
  /** An image of one configuration and one layer, whose content is the given. */
  pushImage(repository: string, reference: string, content: string, more?: object): Promise<PushedImage>;
  readonly call: FakeSalvia["call"];
  stop(): Promise<void>;
}

export interface AskOptions {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly authorization?: string | null;
}

export interface PushedImage {
  readonly digest: string;
  readonly manifest: string;
  readonly layer: string;
  readonly config: string;
}

export async function loginFor(salvia: FakeSalvia): Promise<string> {
  const { authorizationData } = await salvia.call("ecr", "GetAuthorizationToken", {});
  const [data] = authorizationData as readonly { readonly authorizationToken: string }[];
  return `Basic ${data?.authorizationToken}`;
}

export function manifestOf(
  config: string,
  layers: readonly { readonly digest: string; readonly size: number }[],
  more: object = {},
) {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 2 },
    layers: layers.map((layer) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...layer })),
    ...more,
  });
}

export async function startFakeRegistry(repositories: readonly string[] = ["one", "two"]): Promise<FakeRegistry> {
  const salvia = await startFakeSalvia();
  for (const repositoryName of repositories) await salvia.call("ecr", "CreateRepository", { repositoryName });
  const authorization = await loginFor(salvia);
  const ask: FakeRegistry["ask"] = (method, path, options = {}) => {
    const { body, headers = {}, authorization: given = authorization } = options;
    const url = `${salvia.url}${path.startsWith("/") ? path : `/v2/${path}`}`;
    return fetch(url, {
      method,
      redirect: "manual",
      headers: { ...(given !== null && { authorization: given }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : new Uint8Array(body) }),
    });
  };
  const pushBlob: FakeRegistry["pushBlob"] = async (repository, bytes) => {
    const digest = sha256Of(bytes);
    const answer = await ask("POST", `${repository}/blobs/uploads/?digest=${digest}`, { body: bytes });
    if (answer.status !== 201) throw new Error(`the blob was answered ${answer.status}: ${await answer.text()}`);
    return digest;
  };
  return {
    salvia,
    authorization,
    ask,
    pushBlob,
    pushImage: async (repository, reference, content, more) => {
      const config = await pushBlob(repository, "{}");
      const layer = await pushBlob(repository, content);
      const manifest = manifestOf(config, [{ digest: layer, size: Buffer.byteLength(content) }], more);
      const path = `${repository}/manifests/${reference}`;
      const answer = await ask("PUT", path, { body: manifest, headers: { "content-type": imageType } });
      if (answer.status !== 201) throw new Error(`the image was answered ${answer.status}: ${await answer.text()}`);
      return { digest: sha256Of(manifest), manifest, layer, config };
    },
    call: (...asked) => salvia.call(...asked),
    stop: () => salvia.stop(),
  };
}

/** The registry's code of an error. */
export async function codeOf(answer: Response): Promise<string> {
  const { errors } = (await answer.json()) as { readonly errors: readonly { readonly code: string }[] };
  return errors[0]?.code ?? "";
}

export const explicitName = (account: string, name: string): string =>
  `${account}.dkr.ecr.${fakeRegion}.amazonaws.com/${name}`;
