// What S3's handlers are given besides the request.
import { operationsOf, type RequestContext } from "../service.ts";
import type { S3Operations } from "../../models/generated/s3.ts";
import type { BlobStorage } from "../../storage/storage.ts";
import type { HashingThread } from "./checksums/hashing-thread.ts";
import type { Destinations } from "./notifications/destinations.ts";

export interface S3Context extends RequestContext {
  readonly storage: BlobStorage;
  readonly hashing: HashingThread;
  readonly destinations: Destinations;
  readonly bucketDefaults: BucketDefaults;
}

/** What new buckets begin with: what AWS gives them now, or until April 2023 (access control lists, nothing blocked). */
export type BucketDefaults = "current" | "2022";

export const operation = operationsOf<S3Operations, S3Context>();
