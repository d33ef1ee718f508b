// Reads an image's manifest: what it is, and what it needs. Docker's image manifest v2 schema 2 and manifest list, OCI's image
// manifest and index. https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md, …/image-index.md
import { createHash } from "node:crypto";
import { isDigest } from "./image-name.ts";

/** ECR's own limit; the distribution spec asks for at least as much. */
export const maxManifestBytes = 4 * 1_024 * 1_024;

export interface Manifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  /** Of layers and configuration, that have to be in the repository. */
  readonly layers: readonly string[];
  /** Of an index: the manifests that have to be in the repository. */
  readonly images: readonly string[];
  /** Of layers and configuration, as the manifest says. */
  readonly sizeBytes: number;
  readonly subject: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

const mostDescriptors = 1_000;

/** Says in words why the bytes are no manifest. */
export class ManifestProblem extends Error {}

const dockerImage = "application/vnd.docker.distribution.manifest.v2+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
const ociImage = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";

export const manifestTypes: readonly string[] = [dockerImage, dockerList, ociImage, ociIndex];

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

function descriptor(value: unknown, place: string): Descriptor {
  if (!isFields(value)) throw new ManifestProblem(`${place} is no descriptor`);
  const { digest, mediaType, size } = value;
  if (typeof digest !== "string" || !isDigest(digest)) throw new ManifestProblem(`${place} has no valid digest`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new ManifestProblem(`${place} has no valid size`);
  return { digest, mediaType: typeof mediaType === "string" ? mediaType : "", sizeBytes: size };
}

function descriptors(value: unknown, place: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new ManifestProblem(`${place} is no list`);
  if (value.length > mostDescriptors) throw new ManifestProblem(`${place} has more than ${mostDescriptors} entries`);
  return value.map((each, at) => descriptor(each, `${place}[${at}]`));
}

function parsed(bytes: Uint8Array): Fields {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isFields(value)) return value;
  } catch {
    // Told below, in our words.
  }
  throw new ManifestProblem("the manifest is no JSON object");
}

/** Some clients say it only in the header, others only inside. */
function mediaTypeOf(fields: Fields, claimed: string | undefined): string {
  const inside = textOf(fields["mediaType"]);
  const outside = textOf(claimed?.replace(/;.*|^application\/json$/s, "").trim());
  if (inside !== undefined && outside !== undefined && inside !== outside)
    throw new ManifestProblem(`the manifest says that it is ${inside}, the request that it is ${outside}`);
  const mediaType = inside ?? outside ?? (Array.isArray(fields["manifests"]) ? ociIndex : ociImage);
  if (!manifestTypes.includes(mediaType)) throw new ManifestProblem(`the media type ${mediaType} is not known`);
  return mediaType;
}

/** Layers that are fetched from elsewhere, by their licence, need not be here. */
const isForeign = ({ mediaType }: Descriptor): boolean => /foreign|nondistributable/.test(mediaType);

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function annotationsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isFields(value)) throw new ManifestProblem("annotations are no object");
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => textOf(entry[1]) !== undefined),
  );
}

/** Throws ManifestProblem. `claimed` is the media type that the request names. */
export function readManifest(bytes: Uint8Array, claimed: string | undefined): Manifest {
  const fields = parsed(bytes);
  if (fields["schemaVersion"] !== 2) throw new ManifestProblem("only schemaVersion 2 is understood");
  const mediaType = mediaTypeOf(fields, claimed);
  const isIndex = mediaType === dockerList || mediaType === ociIndex;
  const common = {
    bytes,
    mediaType,
    subject: fields["subject"] === undefined ? undefined : descriptor(fields["subject"], "subject").digest,
    annotations: annotationsOf(fields["annotations"]),
  };
  if (isIndex) {
    const images = descriptors(fields["manifests"], "manifests").map(({ digest }) => digest);
    return {
      ...common,
      artifactType: textOf(fields["artifactType"]),
      layers: [],
      images: [...new Set(images)],
      sizeBytes: 0,
    };
  }
  const config = descriptor(fields["config"], "config");
  const layers = descriptors(fields["layers"], "layers");
  const needed = [config, ...layers.filter((layer) => !isForeign(layer))];
  return {
    ...common,
    artifactType: textOf(fields["artifactType"]) ?? textOf(config.mediaType),
    layers: [...new Set(needed.map(({ digest }) => digest))],
    images: [],
    sizeBytes: [config, ...layers].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

/** `like` is a digest whose algorithm is meant; sha256 without one. */
export function digestOf(bytes: Uint8Array, like = "sha256:"): string {
  const algorithm = like.startsWith("sha512:") ? "sha512" : "sha256";
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}
