// S3 over HTTP with the AWS SDK for JavaScript, which frames its bodies, sends trailers and verifies what it gets.
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { createListener } from "../../http/listener.ts";
import { createPipeline } from "../../http/pipeline.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import { createModels } from "../../models/index.ts";
import { createIam } from "../iam/index.ts";
import { createFakeS3, testAccount } from "./s3.fake.ts";

const Bucket = "over-http";
const rootKey = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "an-example-of-a-secret" };

async function clientOfServer(): Promise<S3Client> {
  const { store, s3 } = await createFakeS3();
  // The client signs with the time of the machine.
  const ground = { store, clock: systemClock, random: systemRandom, log: silentLog };
  const { identity } = await createIam({ ...ground, accountId: testAccount, rootKey });
  const handle = createPipeline({
    ...ground,
    models: createModels(),
    services: [s3.service],
    routes: [],
    identity,
    nudge: () => {},
  });
  const listener = createListener({ ...ground, allowedHosts: [], handle });
  const { port } = await listener.listen("127.0.0.1", 0);
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    forcePathStyle: true,
    credentials: rootKey,
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await listener.close(0);
  });
  const CreateBucketConfiguration = { LocationConstraint: "eu-west-1" } as const;
  await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  return client;
}

test("streams with a trailing checksum of each kind arrive, and are verified on their way back", async () => {
  const client = await clientOfServer();
  const chunks = Array.from({ length: 40 }, (_, at) => Buffer.alloc(50_000, at));
  for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const) {
    const Body = Readable.from(chunks);
    const put = new PutObjectCommand({ Bucket, Key: "k", Body, ContentLength: 2_000_000, ChecksumAlgorithm });
    const stored = await client.send(put);
    const got = await client.send(new GetObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
    const member = `Checksum${ChecksumAlgorithm}` as const;
    expect(got[member]).toBe(stored[member]);
    expect(got[member]).toMatch(/=$/);
    // Throws where the bytes do not have the checksum.
    const bytes = await got.Body?.transformToByteArray();
    expect(Buffer.from(bytes ?? []).equals(Buffer.concat(chunks))).toBe(true);
  }
});

test("an upload in parts, a range of it, listing and deletion, with keys that need escaping", async () => {
  const client = await clientOfServer();
  const Key = "ü/é~!*'() &<>+%25.txt";
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC64NVME" }),
  );
  const Parts = [];
  for (const PartNumber of [1, 2]) {
    const Body = Buffer.alloc(5 * 1024 * 1024, PartNumber);
    const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: "CRC64NVME" });
    const { ETag, ChecksumCRC64NVME } = await client.send(part);
    Parts.push({ PartNumber, ETag, ChecksumCRC64NVME });
  }
  const MultipartUpload = { Parts };
  const done = await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
  expect(done).toMatchObject({ Key, ChecksumType: "FULL_OBJECT", ETag: expect.stringMatching(/-2"$/) });
  const range = await client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=5242878-5242881" }));
  expect(range.$metadata.httpStatusCode).toBe(206);
  expect(await range.Body?.transformToByteArray()).toEqual(new Uint8Array([1, 1, 2, 2]));
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: "ü/é" }));
  expect(Contents?.map((object) => object.Key)).toEqual([Key]);
  const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }));
  expect(Deleted).toMatchObject([{ Key }]);
});

test("errors, conditions and the location reach the client as on AWS", async () => {
  const client = await clientOfServer();
  const missing = client.send(new HeadObjectCommand({ Bucket, Key: "none" }));
  await expect(missing).rejects.toMatchObject({ name: "NotFound", $metadata: { httpStatusCode: 404 } });
  await expect(client.send(new GetObjectCommand({ Bucket, Key: "none" }))).rejects.toMatchObject({ name: "NoSuchKey" });
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
  const unmodified = client.send(new GetObjectCommand({ Bucket, Key: "k", IfNoneMatch: ETag }));
  await expect(unmodified).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
  const outside = client.send(new GetObjectCommand({ Bucket, Key: "k", Range: "bytes=5-" }));
  await expect(outside).rejects.toMatchObject({ name: "InvalidRange", $metadata: { httpStatusCode: 416 } });
  const { LocationConstraint } = await client.send(new GetBucketLocationCommand({ Bucket }));
  expect(LocationConstraint).toBe("eu-west-1");
});
