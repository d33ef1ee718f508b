// Front door of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
import type { Store, Writer } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { BlobStorage } from "../../storage/storage.ts";
import { defineService, type Operation, type Service } from "../service.ts";
import { acl } from "./access/acl.ts";
import { deleteBucketPolicy, getBucketPolicy, getBucketPolicyStatus, putBucketPolicy } from "./bucket/bucket-policy.ts";
import { createBucket } from "./bucket/create-bucket.ts";
import { deleteBucket } from "./bucket/delete-bucket.ts";
import { getBucketLocation } from "./bucket/get-bucket-location.ts";
import { headBucket } from "./bucket/head-bucket.ts";
import { listBuckets } from "./bucket/list-buckets.ts";
import { accessControls } from "./configuration/access-controls.ts";
import { bucketTagging } from "./configuration/bucket-tagging.ts";
import { corsConfiguration } from "./configuration/cors.ts";
import { HashingThread } from "./checksums/hashing-thread.ts";
import { encryptionConfiguration } from "./configuration/encryption-configuration.ts";
import { numberedConfiguration } from "./configuration/numbered-configuration.ts";
import { storedConfiguration } from "./configuration/stored-configuration.ts";
import { collectGarbage, sweepOrphans } from "./garbage.ts";
import { lifecycleConfiguration } from "./lifecycle/lifecycle-configuration.ts";
import { sweepLifecycle } from "./lifecycle/sweep-lifecycle.ts";
import { listObjects } from "./listing/list-objects.ts";
import { listObjectsV2 } from "./listing/list-objects-v2.ts";
import { createMountedStorage, type MountedStorage } from "../../storage/mounted/mounted-storage.ts";
import { syncSampleBuckets, type SampleBucket } from "./samples/sample-buckets.ts";
import { deliverEvents } from "./notifications/deliver-events.ts";
import { destinationsOf, type Webhook } from "./notifications/destinations.ts";
import { notificationConfiguration } from "./notifications/notification-configuration.ts";
import { postJson } from "./notifications/post-json.ts";
import { saveAnnouncement, type Announcement } from "./notifications/record-event.ts";
import { getObject } from "./object/get-object.ts";
import { headObject } from "./object/head-object.ts";
import { putObject } from "./object/put-object.ts";
import { copyObject } from "./object/copy-object.ts";
import { deleteObject } from "./object/delete-object.ts";
import { deleteObjects } from "./object/delete-objects.ts";
import { getObjectAttributes } from "./object/get-object-attributes.ts";
import { getObjectTagging } from "./tagging/get-object-tagging.ts";
import { putObjectTagging } from "./tagging/put-object-tagging.ts";
import { deleteObjectTagging } from "./tagging/delete-object-tagging.ts";
import { createMultipartUpload } from "./multipart/create-multipart-upload.ts";
import { uploadPart } from "./multipart/upload-part.ts";
import { uploadPartCopy } from "./multipart/upload-part-copy.ts";
import { completeMultipartUpload } from "./multipart/complete-multipart-upload.ts";
import { abortMultipartUpload } from "./multipart/abort-multipart-upload.ts";
import { listParts } from "./multipart/list-parts.ts";
import { listMultipartUploads } from "./multipart/list-multipart-uploads.ts";
import { selectObjectContent } from "./select/select-object-content.ts";
import type { BucketDefaults, S3Context } from "./s3-context.ts";
import { createS3Objects, type S3Objects } from "./s3-objects.ts";
import { getBucketVersioning } from "./versions/get-bucket-versioning.ts";
import { listObjectVersions } from "./versions/list-object-versions.ts";
import { putBucketVersioning } from "./versions/put-bucket-versioning.ts";

export { listedObject } from "./access/listed-object.ts";
export { bucketFacts } from "./bucket/bucket-facts.ts";
export { canonicalUserId } from "./bucket/buckets.ts";
export { checkPostPolicy, withinRange } from "./post/post-policy.ts";
export { SampleBucketError } from "./samples/sample-buckets.ts";
export { webhooksOf } from "./notifications/destinations.ts";
export type { S3Objects } from "./s3-objects.ts";

const operations: readonly Operation<S3Context>[] = [
  createBucket,
  headBucket,
  deleteBucket,
  listBuckets,
  getBucketLocation,
  getBucketVersioning,
  putBucketVersioning,
  listObjectVersions,
  putBucketPolicy,
  getBucketPolicy,
  deleteBucketPolicy,
  getBucketPolicyStatus,
  listObjects,
  listObjectsV2,
  putObject,
  getObject,
  headObject,
  copyObject,
  deleteObject,
  deleteObjects,
  getObjectAttributes,
  selectObjectContent,
  getObjectTagging,
  putObjectTagging,
  deleteObjectTagging,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
  completeMultipartUpload,
  abortMultipartUpload,
  listParts,
  listMultipartUploads,
  ...acl,
  ...accessControls,
  ...bucketTagging,
  ...corsConfiguration,
  ...encryptionConfiguration,
  ...lifecycleConfiguration,
  ...notificationConfiguration,
  ...numberedConfiguration,
  ...storedConfiguration,
];

export interface S3Parts {
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where events of buckets go; none: no bucket can be given a notification configuration. */
  readonly webhooks?: readonly Webhook[] | undefined;
  /** Default: current. */
  readonly bucketDefaults?: BucketDefaults | undefined;
  /** Folders shown as buckets, and the storage that reads them (the same as `storage`). */
  readonly samples?: { readonly buckets: readonly SampleBucket[]; readonly storage: MountedStorage } | undefined;
}

export interface S3 {
  /** Makes sample buckets what their folders are now. To be run at start, before the first request, and every few seconds. */
  syncSamples(): Promise<void>;
  readonly service: Service;
  readonly objects: S3Objects;
  /** Removes blobs that lost their last row a minute ago or more and that nobody pins. To be run every minute or so. */
  collectGarbage(now: Date): Promise<void>;
  /** Removes blobs that a crash left without a row. Looks at every blob: to be run at start and daily. */
  sweepOrphans(now: Date): Promise<void>;
  /** Deletes what the lifecycles of buckets want gone. Looks at every version below their prefixes: to be run hourly. */
  sweepLifecycle(): Promise<void>;
  /** Puts a message of another service into the outbox of events; false where no webhook stands behind the destination. */
  announce(tx: Writer, message: Announcement): Promise<boolean>;
  /** Posts the events that are due to their webhooks. To be run every second or so. */
  deliverEvents(): Promise<void>;
}

export function createS3({
  store,
  storage,
  clock,
  random,
  log,
  webhooks = [],
  samples,
  bucketDefaults = "current",
}: S3Parts): S3 {
  const hashing = new HashingThread();
  const destinations = destinationsOf(webhooks);
  return {
    service: defineService("s3", operations, { storage, hashing, destinations, bucketDefaults }),
    objects: createS3Objects({ store, storage, hashing, clock, random, destinations }),
    collectGarbage: async (now) => {
      const count = await collectGarbage(store, storage, now);
      if (count > 0) log.debug("garbage of objects removed", { count });
    },
    sweepOrphans: async (now) => {
      const count = await sweepOrphans(store, storage, now);
      if (count > 0) log.info("blobs without an object removed", { count });
    },
    sweepLifecycle: async () => {
      const count = await sweepLifecycle({ store, clock, random, destinations });
      if (count > 0) log.info("versions removed by lifecycles", { count });
    },
    syncSamples: async () => {
      const mounted = { buckets: samples?.buckets ?? [], storage: samples?.storage ?? createMountedStorage(storage) };
      await syncSampleBuckets({ store, storage: mounted.storage, log, samples: mounted.buckets, now: clock.now() });
    },
    announce: async (tx, message) => {
      if (destinations.urlOf(message.destination) === undefined) return false;
      await saveAnnouncement(tx, message);
      return true;
    },
    deliverEvents: () => deliverEvents({ store, clock, random, log, destinations, post: postJson(clock) }),
  };
}
