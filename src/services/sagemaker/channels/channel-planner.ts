// Which objects a job reads, and under which names its instances find them. One plan for all instances, made once.
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { readAugmentedManifest } from "../../../formats/augmented-manifest.ts";
import { FormatError } from "../../../formats/format-error.ts";
import type { Channel, S3DataSource } from "../../../models/generated/sagemaker.ts";
import type { Objects, StoredObject } from "../context.ts";
import type { RoleAccess } from "../role-access.ts";
import { parseS3Uri, s3Uri, type S3Uri } from "../s3-uri.ts";

export interface PlannedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly blobId: string;
  readonly key: string;
}

/** A value of an augmented manifest, which stands in the plan itself. */
export interface PlannedText {
  /** For messages. */
  readonly path: string;
  readonly text: string;
}

export type PlannedPiece = PlannedFile | PlannedText;

export interface JobChannel {
  readonly name: string;
  readonly isGzip: boolean;
  /** Each instance gets every n-th object; otherwise all of them. */
  readonly isSharded: boolean;
  /** So many follow each other for one line of an augmented manifest. Default: 1. */
  readonly groupSize?: number;
}

/** Pieces belong to the channel before them, in the order of their keys, or of their manifest. */
export type JobPlanLine =
  | { readonly channel: JobChannel }
  | { readonly piece: PlannedPiece }
  /** The archive of a model that the job's program serves. */
  | { readonly model: PlannedFile };

/** The data cannot be brought in; the message is the FailureReason. */
export class InputDataError extends Error {
  constructor(problem: string) {
    super(`ClientError: Data download failed: ${problem}`);
  }
}

export interface PlannerScope {
  readonly objects: Objects;
  /** Of the job's role. */
  readonly access: RoleAccess;
  readonly account: string;
  readonly region: string;
  readonly roleArn: string;
}

const noObjects = ({ region, roleArn }: PlannerScope, uri: S3Uri, detail: string): InputDataError =>
  new InputDataError(
    `No S3 objects found under S3 URL "${s3Uri(uri)}" given in input data source. Please ensure that the bucket exists in the selected region (${region}), that objects exist under that S3 prefix, and that the role "${roleArn}" has "s3:ListBucket" permissions on bucket "${uri.bucket}".${detail}`,
  );

/** Names in a channel's folder: never absolute, never climbing out of it. */
function safePath(name: string, uri: S3Uri): string {
  const segments = name.split("/").filter((segment) => segment !== "");
  if (segments.length === 0 || segments.some((segment) => segment === "." || segment === ".."))
    throw new InputDataError(
      `The object "${s3Uri(uri)}" cannot become a file of its channel: its key has "." or "..".`,
    );
  return segments.join("/");
}

const noBucket = (scope: PlannerScope, uri: S3Uri): InputDataError =>
  noObjects(scope, uri, " Error message from S3: The specified bucket does not exist");

/** The account of a bucket that the role may list. */
async function listable(scope: PlannerScope, uri: S3Uri): Promise<string> {
  const { owner, problem } = await scope.access.list(uri.bucket, uri.key);
  if (owner === undefined) throw noBucket(scope, uri);
  if (problem === undefined) return owner;
  if (owner !== scope.account) throw noObjects(scope, uri, ` Error message from S3: ${problem}`);
  throw new InputDataError(
    `Unauthorized to List objects under S3 URL "${s3Uri(uri)}". Please ensure that the role "${scope.roleArn}" has "s3:ListBucket" permissions on bucket "${uri.bucket}". Error message from S3: ${problem}`,
  );
}

/** The account of an object's bucket, if the role may read the object. */
async function readable(scope: PlannerScope, uri: S3Uri): Promise<string> {
  const { owner, problem } = await scope.access.read(uri.bucket, uri.key);
  if (owner === undefined) throw noBucket(scope, uri);
  if (problem === undefined) return owner;
  if (owner !== scope.account) throw noObjects(scope, uri, ` Error message from S3: ${problem}`);
  throw new InputDataError(
    `AccessDenied (403): Access Denied. Please ensure that the role "${scope.roleArn}" has "s3:GetObject" permissions on "${s3Uri(uri)}". Error message from S3: ${problem}`,
  );
}

const afterLastSlash = (key: string): number => key.lastIndexOf("/") + 1;

/** A prefix that names a folder, with or without its slash, is left out; of any other only what comes before its last "/". */
const pathUnder = (prefix: string, key: string): string =>
  key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : key.slice(afterLastSlash(prefix));

async function hasFirst(items: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of items) return true;
  return false;
}

/** Whether `data/datax` and `datax`, both under the prefix `data`, meet in one name. */
async function wouldMeet({ objects }: PlannerScope, owner: string, { bucket, key: prefix }: S3Uri): Promise<boolean> {
  if (prefix === "" || prefix.endsWith("/")) return false;
  const folder = `${prefix}/`;
  if (!(await hasFirst(objects.list(owner, bucket, folder)))) return false;
  const beside = new Set<string>();
  for await (const { key } of objects.list(owner, bucket, prefix))
    if (!key.startsWith(folder)) beside.add(key.slice(afterLastSlash(prefix)));
  if (beside.size === 0) return false;
  for await (const { key } of objects.list(owner, bucket, folder))
    if (beside.has(key.slice(folder.length))) return true;
  return false;
}

async function* filesUnderPrefix(scope: PlannerScope, uri: S3Uri): AsyncGenerator<PlannedFile> {
  const owner = await listable(scope, uri);
  const keepsFolder = await wouldMeet(scope, owner, uri);
  const nameOf = (key: string): string => (keepsFolder ? key.slice(afterLastSlash(uri.key)) : pathUnder(uri.key, key));
  let isEmpty = true;
  for await (const object of scope.objects.list(owner, uri.bucket, uri.key)) {
    // Keys like folders hold nothing.
    if (object.key.endsWith("/")) continue;
    await readable(scope, object);
    isEmpty = false;
    const { sizeBytes, blobId, key } = object;
    yield { path: safePath(nameOf(key), object), sizeBytes, blobId, key };
  }
  if (isEmpty) throw noObjects(scope, uri, "");
}

function readManifest(source: string, manifest: S3Uri): { readonly prefix: string; readonly names: readonly string[] } {
  const broken = (why: string): InputDataError =>
    new InputDataError(`The manifest "${s3Uri(manifest)}" ${why}. It must be [{"prefix": "s3://…"}, "key", "key", …].`);
  let entries: unknown;
  try {
    entries = JSON.parse(source);
  } catch {
    throw broken("is not JSON");
  }
  if (!Array.isArray(entries)) throw broken("is not a list");
  const [head, ...names] = entries as unknown[];
  if (typeof head !== "object" || head === null || !("prefix" in head) || typeof head.prefix !== "string")
    throw broken("does not begin with a prefix");
  if (names.length === 0) throw broken("names no objects");
  if (!names.every((name) => typeof name === "string")) throw broken("has an entry that is not a string");
  return { prefix: head.prefix, names };
}

/** The bytes of a manifest that the role may read. */
async function openManifest(scope: PlannerScope, uri: S3Uri): Promise<Readable> {
  const owner = await readable(scope, uri);
  if (!(await scope.objects.head(owner, uri.bucket, uri.key))) throw noObjects(scope, uri, "");
  return scope.objects.read(owner, uri);
}

/** An object that a manifest names. */
async function namedObject(scope: PlannerScope, at: S3Uri, manifest: S3Uri): Promise<StoredObject> {
  const object = await scope.objects.head(await readable(scope, at), at.bucket, at.key);
  if (!object) throw noObjects(scope, at, ` The manifest "${s3Uri(manifest)}" names it.`);
  return object;
}

/** Line by line, each attribute in the order of the names: objects and values (developer guide, "Augmented Manifest"). */
async function* piecesOfAugmentedManifest(
  scope: PlannerScope,
  uri: S3Uri,
  attributeNames: readonly string[],
): AsyncGenerator<PlannedPiece> {
  let lines = 0;
  try {
    const bytes = await openManifest(scope, uri);
    for await (const { lineNumber, values } of readAugmentedManifest(s3Uri(uri), bytes, attributeNames)) {
      lines++;
      for (const value of values) {
        const path = `${value.attribute} of line ${lineNumber}`;
        if (value.type === "text") yield { path, text: value.text };
        else {
          const { sizeBytes, blobId, key } = await namedObject(scope, value, uri);
          yield { path, sizeBytes, blobId, key };
        }
      }
    }
  } catch (error) {
    if (error instanceof FormatError)
      throw new InputDataError(`The augmented manifest cannot be read: ${error.message}`);
    throw error;
  }
  if (lines === 0) throw new InputDataError(`The augmented manifest "${s3Uri(uri)}" has no lines.`);
}

async function* filesOfManifest(scope: PlannerScope, uri: S3Uri): AsyncGenerator<PlannedFile> {
  const { prefix, names } = readManifest(await text(await openManifest(scope, uri)), uri);
  for (const name of names) {
    const at = parseS3Uri(prefix + name);
    if (!at)
      throw new InputDataError(`The manifest "${s3Uri(uri)}" has a prefix that is not of the form s3://bucket/key.`);
    const { sizeBytes, blobId, key } = await namedObject(scope, at, uri);
    yield { path: safePath(name, at), sizeBytes, blobId, key };
  }
}

function piecesOf(scope: PlannerScope, uri: S3Uri, source: S3DataSource): AsyncIterable<PlannedPiece> {
  switch (source.S3DataType) {
    case "ManifestFile":
      return filesOfManifest(scope, uri);
    case "AugmentedManifestFile":
      return piecesOfAugmentedManifest(scope, uri, source.AttributeNames ?? []);
    case "S3Prefix":
    case "Converse":
    case undefined:
      return filesUnderPrefix(scope, uri);
  }
}

async function* planChannel(scope: PlannerScope, channel: Channel, source: S3DataSource): AsyncGenerator<JobPlanLine> {
  const uri = parseS3Uri(source.S3Uri);
  if (!uri) throw new InputDataError(`"${source.S3Uri}" is not of the form s3://bucket/key.`);
  const isAugmented = source.S3DataType === "AugmentedManifestFile";
  yield {
    channel: {
      name: channel.ChannelName,
      isGzip: channel.CompressionType === "Gzip",
      isSharded: source.S3DataDistributionType === "ShardedByS3Key",
      ...(isAugmented ? { groupSize: source.AttributeNames?.length ?? 1 } : {}),
    },
  };
  for await (const piece of piecesOf(scope, uri, source)) yield { piece };
}

/** Throws InputDataError. Objects may change afterwards: whoever takes the lines pins their blobs. */
export async function* planChannels(scope: PlannerScope, channels: readonly Channel[]): AsyncGenerator<JobPlanLine> {
  for (const channel of channels) {
    const source = channel.DataSource.S3DataSource;
    if (source) yield* planChannel(scope, channel, source);
  }
}

/** Whether instance `index` (from 0) of `count` reads the channel's piece number `at` (from 0). */
export const isForInstance = (
  { isSharded, groupSize = 1 }: JobChannel,
  at: number,
  index: number,
  count: number,
): boolean => !isSharded || Math.floor(at / groupSize) % count === index;
