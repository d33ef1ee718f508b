// S3: buckets, the current objects, their other versions, uploads in parts, and who still needs which blob.

export interface ObjectTables {
  buckets: BucketsTable;
  bucket_settings: BucketSettingsTable;
  object_events: ObjectEventsTable;
  objects: ObjectsTable;
  object_versions: ObjectVersionsTable;
  uploads: UploadsTable;
  upload_parts: UploadPartsTable;
  object_garbage: ObjectGarbageTable;
  object_pins: ObjectPinsTable;
  small_blobs: SmallBlobsTable;
}

/** Bytes of blobs too small for a file of their own. */
interface SmallBlobsTable {
  id: string;
  bytes: Uint8Array;
  created_at: number;
}

/** Names are global, as on AWS. */
export interface BucketsTable {
  name: string;
  account: string;
  region: string;
  created_at: number;
  /** "" was never on, "Enabled", "Suspended". */
  versioning: string;
  /** Who owns what others write: "" the bucket's owner (BucketOwnerEnforced), "BucketOwnerPreferred", "ObjectWriter", "None" (no rule: the writer). */
  ownership: string;
  /** ListGrant[] (services/s3/access), JSON; null: the owner has everything. */
  grants: string | null;
}

/** What is configured for a bucket, by name: "policy", "cors", "metrics/ID". */
interface BucketSettingsTable {
  bucket: string;
  name: string;
  /** JSON; the policy's own text. */
  value: string;
  changed_at: number;
}

/** Current objects only, so that listing stays a range; the other versions are in object_versions. */
export interface ObjectsTable {
  bucket: string;
  /** Ordered by its UTF-8 bytes (SQLite's BINARY; on Postgres: collate "C"). */
  key: string;
  /** Several objects may share a blob (copies). */
  blob_id: string;
  size_bytes: number;
  /** Without quotes. */
  etag: string;
  modified_at: number;
  /** ObjectAttributes (services/s3/object), JSON. */
  attributes: string;
  /** [{Key, Value}], JSON. */
  tags: string;
  /** StoredChecksum or null, JSON. */
  checksum: string | null;
  /** [{number, sizeBytes, checksum?}] of an object that was uploaded in parts, JSON. */
  parts: string | null;
  /** The upload that made the object: completing it once more answers the same. */
  upload_id: string | null;
  /** "null" where the bucket had no versioning when the object was written. */
  version_id: string;
  /** Of a key's versions the newest has the highest; 0 until there is a second. */
  sequence: number;
  /** ObjectAccess (services/s3/access), JSON; null: the owner of the bucket has everything, nobody else anything. */
  access: string | null;
}

/**
 * Versions that are not an object one can name without its version: those that another has superseded, and delete markers. A key
 * without a row in `objects` and with rows here has a delete marker as its newest.
 */
export interface ObjectVersionsTable extends ObjectsTable {
  /** 1: has neither bytes nor attributes (blob_id and etag are ""). */
  is_delete_marker: number;
  /** Null: a delete marker that is the newest. */
  superseded_at: number | null;
}

export interface UploadsTable {
  id: string;
  bucket: string;
  key: string;
  initiated_at: number;
  /** ARN of who began it. */
  initiator: string;
  attributes: string;
  tags: string;
  checksum_algorithm: string | null;
  checksum_type: string | null;
  /** Of the object that it will be. */
  access: string | null;
}

export interface UploadPartsTable {
  upload_id: string;
  number: number;
  blob_id: string;
  size_bytes: number;
  etag: string;
  modified_at: number;
  checksum: string | null;
}

/** Blobs that lost a row and go when neither a row nor a pin needs them. */
interface ObjectGarbageTable {
  blob_id: string;
  since: number;
}

interface ObjectPinsTable {
  blob_id: string;
  owner: string;
}

/** Events that a webhook has not taken yet. */
interface ObjectEventsTable {
  bucket: string;
  key: string;
  /** The ARN in the bucket's notification configuration. */
  destination: string;
  /** Of those of one key and destination the lowest goes first. */
  position: number;
  /** JSON, as it is posted. */
  body: string;
  created_at: number;
  attempts: number;
  due_at: number;
}
