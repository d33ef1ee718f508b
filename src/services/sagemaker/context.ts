// What SageMaker's handlers and reconcilers are given, besides the request: the parts of other rooms, as narrow as they are used.
import type { Readable } from "node:stream";
import type { ComputeBackend } from "../../compute/backend.ts";
import type { Prices } from "../../compute/prices.ts";
import type { SpotPolicy } from "../../compute/spot-policy.ts";
import type { Store } from "../../database/store.ts";
import type { Capacity } from "../../engine/capacity.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { SagemakerOperations } from "../../models/generated/sagemaker.ts";
import type { BlobStorage } from "../../storage/storage.ts";
import type { Metrics } from "../cloudwatch/index.ts";
import type { Images } from "../ecr/index.ts";
import type { LogLines } from "../logs/index.ts";
import { operationsOf, type RequestContext } from "../service.ts";
import type { Roles } from "./role-access.ts";

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly blobId: string;
}

/** S3 from inside, as the given account: what is used here of services/s3's S3Objects. */
export interface Objects {
  /** Account of the bucket; undefined when there is none. */
  bucketOwner(bucket: string): Promise<string | undefined>;
  head(account: string, bucket: string, key: string): Promise<StoredObject | undefined>;
  /** In key order. */
  list(account: string, bucket: string, prefix: string): AsyncIterable<StoredObject>;
  read(account: string, object: { readonly bucket: string; readonly key: string }): Promise<Readable>;
  put(account: string, bucket: string, key: string, body: AsyncIterable<Uint8Array>): Promise<StoredObject>;
  /** A file with the object's bytes that others may read; undefined where storage is remote. */
  localPath(object: { readonly blobId: string }): string | undefined;
  /** The blobs stay until the owner lets go (tasks/kept-blobs.ts), whatever happens to their objects. NoSuchKey: one is gone already. */
  pin(owner: string, objects: readonly { readonly key: string; readonly blobId: string }[]): Promise<void>;
}

interface RoleSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

interface Identity {
  sessionFor(roleArn: string, sessionName: string, durationSeconds: number): Promise<RoleSession>;
}

export interface BuiltInAlgorithm {
  /** Folder under src/algorithms. */
  readonly name: string;
  readonly metrics: readonly { readonly Name: string; readonly Regex: string }[];
  /** Throws an error whose message names every bad, missing or unknown hyperparameter. */
  checkHyperparameters(values: Readonly<Record<string, string>>): unknown;
}

interface Algorithms {
  /** By the image's repository name, whatever its registry account, region and tag. */
  find(image: string): BuiltInAlgorithm | undefined;
  /** For messages. */
  readonly names: readonly string[];
}

/** Made once, in main.ts. */
export interface SagemakerPlatform {
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly capacity: Capacity;
  readonly compute: ComputeBackend;
  readonly objects: Objects;
  readonly logs: LogLines;
  readonly metrics: Metrics;
  readonly identity: Identity;
  readonly roles: Roles;
  readonly algorithms: Algorithms;
  /** Container images by the names that jobs give them. */
  readonly images: Images;
  readonly spot: SpotPolicy;
  readonly prices: Prices;
  /** Folders that stand for file systems, by FileSystemId. */
  readonly fileSystems: ReadonlyMap<string, string>;
  /** Framework images run in the version of their tag, or not at all. */
  readonly isFrameworkStrict: boolean;
  /** Where agents reach this server: the URL now, and the file that holds it after a restart on another port. */
  readonly server: { url(): string; readonly file?: string };
  /** Tells the engine that a row has become due. */
  nudge(): void;
}

export type SagemakerContext = RequestContext &
  Pick<SagemakerPlatform, "objects" | "capacity" | "roles" | "algorithms" | "compute" | "fileSystems">;

/** `operation("CreateModel", async (input, ctx) => …)`; shapes were checked against the model before it runs. */
export const operation = operationsOf<SagemakerOperations, SagemakerContext>();
