// Writes events into the outbox, in the transaction of the write that they tell of: one is never there without the other.
// Their form: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
import type { Writer } from "../../../database/store.ts";
import { bucketArn, type Bucket } from "../bucket/buckets.ts";
import type { StoredObject } from "../object/objects.ts";
import type { Deletion } from "../versions/delete-version.ts";
import type { Destinations } from "./destinations.ts";
import { matchesEvent, subscriptionsOf, type Subscription } from "./subscriptions.ts";

/** Who or what caused the event: a request, or (with nothing but destinations) Salvia itself. */
export interface EventSource {
  readonly destinations?: Destinations | undefined;
  readonly operation?: string;
  readonly requestId?: string;
  readonly caller?: { readonly userId: string };
}

interface EventFacts extends Pick<StoredObject, "key"> {
  /** Without "s3:". */
  readonly name: string;
  readonly sizeBytes?: number;
  readonly eTag?: string;
  readonly versionId?: string | undefined;
}

export const creationName = (operation: string | undefined): string => {
  if (operation === "CopyObject") return "ObjectCreated:Copy";
  return operation === "CompleteMultipartUpload" ? "ObjectCreated:CompleteMultipartUpload" : "ObjectCreated:Put";
};

const encodedKey = (key: string): string => encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");

function recordOf(
  source: EventSource,
  bucket: Bucket,
  facts: EventFacts,
  { id }: Subscription,
  { now, position }: { readonly now: Date; readonly position: number },
): object {
  const { name, key, sizeBytes, eTag, versionId } = facts;
  const sequencer = (now.getTime() * 4_096 + (position % 4_096)).toString(16).toUpperCase().padStart(16, "0");
  return {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: bucket.region,
    eventTime: now.toISOString(),
    eventName: name,
    userIdentity: { principalId: source.caller ? `AWS:${source.caller.userId}` : "Amazon Customer" },
    responseElements: { "x-amz-request-id": source.requestId ?? "" },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: id,
      bucket: { name: bucket.name, ownerIdentity: { principalId: bucket.account }, arn: bucketArn(bucket.name) },
      object: {
        key: encodedKey(key),
        ...(sizeBytes !== undefined && { size: sizeBytes }),
        ...(eTag !== undefined && { eTag }),
        ...(bucket.versioning !== undefined && versionId !== undefined && { versionId }),
        sequencer,
      },
    },
  };
}

interface OutboxEntry {
  readonly bucket: string;
  readonly key: string;
  readonly destination: string;
}

async function nextPosition(tx: Writer, { bucket, key, destination }: OutboxEntry): Promise<number> {
  const last = await tx
    .selectFrom("object_events")
    .select("position")
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .where("destination", "=", destination)
    .orderBy("position", "desc")
    .limit(1)
    .executeTakeFirst();
  return (last?.position ?? 0) + 1;
}

async function save(tx: Writer, entry: OutboxEntry, position: number, body: object, now: Date): Promise<void> {
  const at = now.getTime();
  await tx
    .insertInto("object_events")
    .values({ ...entry, position, body: JSON.stringify(body), created_at: at, attempts: 0, due_at: at })
    .execute();
}

/** One outbox row for each destination that the bucket's configuration names for this event. */
export async function recordEvent(
  tx: Writer,
  source: EventSource,
  bucket: Bucket,
  facts: EventFacts,
  now: Date,
): Promise<void> {
  if (!source.destinations || source.destinations.isEmpty) return;
  const { key } = facts;
  for (const subscription of await subscriptionsOf(tx, bucket.name)) {
    const { events, prefix, suffix, arn } = subscription;
    const isWanted = events.some((pattern) => matchesEvent(pattern, `s3:${facts.name}`));
    if (!isWanted || !key.startsWith(prefix) || !key.endsWith(suffix)) continue;
    const entry = { bucket: bucket.name, key, destination: arn };
    const position = await nextPosition(tx, entry);
    await save(
      tx,
      entry,
      position,
      { Records: [recordOf(source, bucket, facts, subscription, { now, position })] },
      now,
    );
  }
}

/** `family`: LifecycleExpiration where Salvia itself removed it. */
export async function recordRemoval(
  tx: Writer,
  source: EventSource,
  bucket: Bucket,
  key: string,
  { versionId, isDeleteMarker }: Deletion,
  now: Date,
  family: "ObjectRemoved" | "LifecycleExpiration" = "ObjectRemoved",
): Promise<void> {
  const name = `${family}:${isDeleteMarker ? "DeleteMarkerCreated" : "Delete"}`;
  await recordEvent(tx, source, bucket, { key, versionId, name }, now);
}

/** What S3 sends to a destination that has just been configured. */
export async function saveTestEvent(
  tx: Writer,
  { requestId = "" }: EventSource,
  bucket: Bucket,
  arn: string,
  now: Date,
): Promise<void> {
  const entry = { bucket: bucket.name, key: "", destination: arn };
  const body = {
    Service: "Amazon S3",
    Event: "s3:TestEvent",
    Time: now.toISOString(),
    Bucket: bucket.name,
    RequestId: requestId,
    HostId: requestId,
  };
  await save(tx, entry, await nextPosition(tx, entry), body, now);
}

/** What another service has to say, in the same outbox; subjects keep their order. */
export interface Announcement {
  readonly destination: string;
  /** What it is about, e.g. the ARN of an alarm. */
  readonly subject: string;
  readonly body: object;
  readonly at: Date;
}

export async function saveAnnouncement(tx: Writer, { destination, subject, body, at }: Announcement): Promise<void> {
  // No bucket has an empty name.
  const entry = { bucket: "", key: subject, destination };
  await save(tx, entry, await nextPosition(tx, entry), body, at);
}
