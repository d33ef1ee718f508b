// Events from the write to a real HTTP listener; only time is not real.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { seconds } from "../../../lib/clock.ts";
import { destinationsOf, webhooksOf } from "./destinations.ts";
import { createFakeS3, fakeS3On } from "../s3.fake.ts";

const topic = "arn:aws:sns:us-east-1:000000000000:digits";

interface Delivered {
  readonly Event?: string;
  readonly Records?: readonly {
    readonly eventName: string;
    readonly s3: {
      readonly configurationId: string;
      readonly bucket: { readonly name: string };
      readonly object: {
        readonly key: string;
        readonly size?: number;
        readonly versionId?: string;
        readonly sequencer: string;
      };
    };
  }[];
}

async function startWebhook() {
  const delivered: Delivered[] = [];
  const hook = { status: 200 };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      // What Salvia posted, in the form that the test expects.
      if (hook.status === 200) delivered.push(JSON.parse(body) as Delivered);
      response.writeHead(hook.status).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const seen = () =>
    delivered
      .splice(0)
      .map(({ Event, Records }) => Event ?? `${Records?.[0]?.eventName} ${Records?.[0]?.s3.object.key}`);
  return { url: `http://127.0.0.1:${port}/events`, delivered, seen, hook };
}

async function start(Filter?: { Key: { FilterRules: { Name: "prefix" | "suffix"; Value: string }[] } }) {
  const webhook = await startWebhook();
  const webhooks = [{ arn: undefined, url: webhook.url }];
  const fake = await createFakeS3({ webhooks });
  await fake.call("CreateBucket", { Bucket: "digits" }, { region: "us-east-1" });
  const put = (Events: readonly ("s3:ObjectCreated:*" | "s3:ObjectRemoved:*" | "s3:ObjectCreated:Put")[]) =>
    fake.call("PutBucketNotificationConfiguration", {
      Bucket: "digits",
      NotificationConfiguration: {
        TopicConfigurations: [{ Id: "all", TopicArn: topic, Events, ...(Filter && { Filter }) }],
      },
    });
  return { ...fake, webhook, webhooks, put };
}

test("writes and deletions reach the webhook in order, after the test event of the configuration", async () => {
  const { call, put, s3, webhook } = await start();
  await put(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]);
  await call("PutObject", { Bucket: "digits", Key: "a b/ü", Body: "12345" });
  await call("CopyObject", { Bucket: "digits", Key: "copy", CopySource: "digits/a%20b/%C3%BC" });
  await call("DeleteObject", { Bucket: "digits", Key: "a b/ü" });
  await call("DeleteObject", { Bucket: "digits", Key: "never there" });
  await s3.deliverEvents();
  const [first] = webhook.delivered.flatMap(({ Records }) => Records ?? []);
  expect(first?.s3).toMatchObject({ configurationId: "all", bucket: { name: "digits" }, object: { size: 5 } });
  expect(webhook.seen().sort()).toEqual([
    "ObjectCreated:Copy copy",
    "ObjectCreated:Put a+b/%C3%BC",
    "ObjectRemoved:Delete a+b/%C3%BC",
    "s3:TestEvent",
  ]);
  await s3.deliverEvents();
  expect(webhook.seen()).toEqual([]);
});

test("prefix, suffix and kind of event choose", async () => {
  const rules = [{ Name: "prefix", Value: "in/" } as const, { Name: "suffix", Value: ".csv" } as const];
  const { call, put, s3, webhook } = await start({ Key: { FilterRules: rules } });
  await put(["s3:ObjectCreated:Put"]);
  for (const Key of ["in/a.csv", "in/a.txt", "out/a.csv"]) await call("PutObject", { Bucket: "digits", Key, Body: "" });
  await call("CopyObject", { Bucket: "digits", Key: "in/b.csv", CopySource: "digits/in/a.csv" });
  await call("DeleteObject", { Bucket: "digits", Key: "in/a.csv" });
  await s3.deliverEvents();
  expect(webhook.seen().sort()).toEqual(["ObjectCreated:Put in/a.csv", "s3:TestEvent"]);
});

test("a bucket with versions tells of its markers and versions, and parts of their completion", async () => {
  const { call, put, s3, webhook } = await start();
  await call("PutBucketVersioning", { Bucket: "digits", VersioningConfiguration: { Status: "Enabled" } });
  await put(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]);
  const { UploadId = "" } = await call("CreateMultipartUpload", { Bucket: "digits", Key: "k" });
  const { ETag } = await call("UploadPart", { Bucket: "digits", Key: "k", UploadId, PartNumber: 1, Body: "x" });
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  const { VersionId } = await call("CompleteMultipartUpload", {
    Bucket: "digits",
    Key: "k",
    UploadId,
    MultipartUpload,
  });
  await call("DeleteObject", { Bucket: "digits", Key: "k" });
  await call("DeleteObject", { Bucket: "digits", Key: "k", VersionId });
  await s3.deliverEvents();
  const records = webhook.delivered.flatMap(({ Records }) => Records ?? []);
  expect(records.map(({ eventName }) => eventName)).toEqual([
    "ObjectCreated:CompleteMultipartUpload",
    "ObjectRemoved:DeleteMarkerCreated",
    "ObjectRemoved:Delete",
  ]);
  expect([records[0]?.s3.object.versionId, records[2]?.s3.object.versionId]).toEqual([VersionId, VersionId]);
  const sequencers = records.map(({ s3: { object } }) => object.sequencer);
  expect(sequencers).toEqual([...sequencers].sort());
});

test("what a webhook refuses is tried again later, outlives the server, and holds up only its own key", async () => {
  const { call, put, s3, clock, store, storage, webhook, webhooks } = await start();
  await put(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]);
  await s3.deliverEvents();
  webhook.seen();
  webhook.hook.status = 503;
  await call("PutObject", { Bucket: "digits", Key: "k", Body: "1" });
  await s3.deliverEvents();
  webhook.hook.status = 200;
  await call("DeleteObject", { Bucket: "digits", Key: "k" });
  await call("PutObject", { Bucket: "digits", Key: "other", Body: "1" });
  await s3.deliverEvents();
  expect(webhook.seen()).toEqual(["ObjectCreated:Put other"]);
  await clock.advance(seconds(2));
  const next = fakeS3On({ clock, store, storage }, { webhooks });
  await next.s3.deliverEvents();
  expect(webhook.seen()).toEqual(["ObjectCreated:Put k", "ObjectRemoved:Delete k"]);
});

test("a setting gives one ARN a webhook of its own", () => {
  const destinations = destinationsOf(webhooksOf([`${topic}=http://localhost/one?a=b`, "http://localhost/rest"]));
  expect([topic, "arn:aws:sqs:us-east-1:000000000000:q"].map((arn) => destinations.urlOf(arn))).toEqual([
    "http://localhost/one?a=b",
    "http://localhost/rest",
  ]);
});

test("a refused write leaves no event", async () => {
  const { call, put, s3, webhook } = await start();
  await put(["s3:ObjectCreated:*"]);
  await call("PutObject", { Bucket: "digits", Key: "k", Body: "1" });
  await s3.deliverEvents();
  webhook.seen();
  const again = call("PutObject", { Bucket: "digits", Key: "k", Body: "2", IfNoneMatch: "*" });
  await expect(again).rejects.toMatchObject({ code: "PreconditionFailed" });
  await s3.deliverEvents();
  expect(webhook.seen()).toEqual([]);
});

test("a configuration is given back, may be emptied, and is refused where it overlaps or leads nowhere", async () => {
  const { call, put, s3, webhook } = await start();
  await put(["s3:ObjectCreated:*"]);
  const { TopicConfigurations } = await call("GetBucketNotificationConfiguration", { Bucket: "digits" });
  expect(TopicConfigurations).toEqual([{ Id: "all", TopicArn: topic, Events: ["s3:ObjectCreated:*"] }]);
  const twice = call("PutBucketNotificationConfiguration", {
    Bucket: "digits",
    NotificationConfiguration: {
      TopicConfigurations: [{ TopicArn: topic, Events: ["s3:ObjectCreated:*"] }],
      QueueConfigurations: [{ QueueArn: "arn:aws:sqs:us-east-1:000000000000:q", Events: ["s3:ObjectCreated:Put"] }],
    },
  });
  await expect(twice).rejects.toMatchObject({ code: "InvalidArgument" });
  await call("PutBucketNotificationConfiguration", { Bucket: "digits", NotificationConfiguration: {} });
  await s3.deliverEvents();
  webhook.seen();
  await call("PutObject", { Bucket: "digits", Key: "k", Body: "1" });
  await s3.deliverEvents();
  expect(webhook.seen()).toEqual([]);
  const nowhere = await createFakeS3();
  await nowhere.call("CreateBucket", { Bucket: "digits" }, { region: "us-east-1" });
  const NotificationConfiguration = {
    TopicConfigurations: [{ TopicArn: topic, Events: ["s3:ObjectCreated:*" as const] }],
  };
  const refused = nowhere.call("PutBucketNotificationConfiguration", { Bucket: "digits", NotificationConfiguration });
  await expect(refused).rejects.toMatchObject({ code: "InvalidArgument" });
});
