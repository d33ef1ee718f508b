// Which objects a job reads, and under which names its instances find them. One plan for all instances, made once.
import { text } from "node:stream/consumers";
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

export interface JobChannel {
  readonly name: string;
  readonly isGzip: boolean;
  /** Each instance gets every n-th object; otherwise all of them. */
  readonly isSharded: boolean;
  /** In the order of their keys. */
  readonly files: readonly PlannedFile[];
}

export interface JobPlan {
  readonly channels: readonly JobChannel[];
}

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

const hasTwice = (names: readonly string[]): boolean => new Set(names).size < names.length;

async function filesUnderPrefix(scope: PlannerScope, uri: S3Uri): Promise<PlannedFile[]> {
  const owner = await listable(scope, uri);
  const found: StoredObject[] = [];
  for await (const object of scope.objects.list(owner, uri.bucket, uri.key)) {
    // Keys like folders hold nothing.
    if (object.key.endsWith("/")) continue;
    await readable(scope, object);
    found.push(object);
  }
  if (found.length === 0) throw noObjects(scope, uri, "");
  const named = (name: (key: string) => string): PlannedFile[] =>
    found.map(({ bucket, key, sizeBytes, blobId }) => ({
      path: safePath(name(key), { bucket, key }),
      sizeBytes,
      blobId,
      key,
    }));
  const files = named((key) => pathUnder(uri.key, key));
  // `data/x` and `datax`, both under the prefix `data`, may meet in one name: then the folder's name stays.
  return hasTwice(files.map((file) => file.path)) ? named((key) => key.slice(afterLastSlash(uri.key))) : files;
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

async function filesOfManifest(scope: PlannerScope, uri: S3Uri): Promise<PlannedFile[]> {
  const manifestOwner = await readable(scope, uri);
  if (!(await scope.objects.head(manifestOwner, uri.bucket, uri.key))) throw noObjects(scope, uri, "");
  const { prefix, names } = readManifest(await text(await scope.objects.read(manifestOwner, uri)), uri);
  const files: PlannedFile[] = [];
  for (const name of names) {
    const at = parseS3Uri(prefix + name);
    if (!at)
      throw new InputDataError(`The manifest "${s3Uri(uri)}" has a prefix that is not of the form s3://bucket/key.`);
    const object = await scope.objects.head(await readable(scope, at), at.bucket, at.key);
    if (!object) throw noObjects(scope, at, ` The manifest "${s3Uri(uri)}" names it.`);
    const { sizeBytes, blobId, key } = object;
    files.push({ path: safePath(name, at), sizeBytes, blobId, key });
  }
  return files;
}

async function planChannel(scope: PlannerScope, channel: Channel, source: S3DataSource): Promise<JobChannel> {
  const uri = parseS3Uri(source.S3Uri);
  if (!uri) throw new InputDataError(`"${source.S3Uri}" is not of the form s3://bucket/key.`);
  return {
    name: channel.ChannelName,
    isGzip: channel.CompressionType === "Gzip",
    isSharded: source.S3DataDistributionType === "ShardedByS3Key",
    files:
      source.S3DataType === "ManifestFile" ? await filesOfManifest(scope, uri) : await filesUnderPrefix(scope, uri),
  };
}

/** Throws InputDataError. Objects may change afterwards: whoever uses the plan pins its blobs. */
export async function planChannels(scope: PlannerScope, channels: readonly Channel[]): Promise<JobPlan> {
  const planned: JobChannel[] = [];
  for (const channel of channels) {
    const source = channel.DataSource.S3DataSource;
    if (source) planned.push(await planChannel(scope, channel, source));
  }
  return { channels: planned };
}

/** What instance `index` (from 0) of `count` reads. */
export const filesOf = (channel: JobChannel, index: number, count: number): readonly PlannedFile[] =>
  channel.isSharded ? channel.files.filter((_, at) => at % count === index) : channel.files;
