// S3: buckets, the current objects, uploads in parts, and who still needs which blob.

export interface ObjectTables {
  buckets: BucketsTable;
  objects: ObjectsTable;
  uploads: UploadsTable;
  upload_parts: UploadPartsTable;
  object_garbage: ObjectGarbageTable;
  object_pins: ObjectPinsTable;
}

/** Names are global, as on AWS. */
export interface BucketsTable {
  name: string;
  account: string;
  region: string;
  created_at: number;
}

/** Current objects only: versions that are no longer current will have a table of their own, so that listing stays a range. */
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
