import { Readable } from "node:stream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Channel } from "../../../models/generated/sagemaker.ts";
import type { Objects, StoredObject } from "../context.ts";
import type { RoleDecision } from "../../iam/index.ts";
import type { RoleAccess } from "../role-access.ts";
import {
  isForInstance,
  planChannels,
  type JobChannel,
  type PlannedPiece,
  type PlannerScope,
} from "./channel-planner.ts";

const account = "000000000000";

/** Objects by "bucket/key"; manifests hold text. */
function fakeObjects(contents: Readonly<Record<string, string>>): Objects {
  const all: StoredObject[] = Object.keys(contents)
    .sort()
    .map((name) => {
      const [bucket = ""] = name.split("/");
      return { bucket, key: name.slice(bucket.length + 1), sizeBytes: contents[name]?.length ?? 0, blobId: name };
    });
  const find = (bucket: string, key: string): StoredObject | undefined =>
    all.find((object) => object.bucket === bucket && object.key === key);
  return {
    bucketOwner: async (bucket) => (bucket === "foreign" ? "111111111111" : bucket === "bucket" ? account : undefined),
    head: async (_account, bucket, key) => find(bucket, key),
    list: async function* (_account, bucket, prefix) {
      yield* all.filter((object) => object.bucket === bucket && object.key.startsWith(prefix));
    },
    read: async (_account, { bucket, key }) => Readable.from([Buffer.from(contents[`${bucket}/${key}`] ?? "")]),
    put: async () => {
      throw new Error("a planner writes nothing");
    },
    localPath: () => undefined,
    pin: async () => undefined,
  };
}

const access = (objects: Objects): RoleAccess => {
  const decide = async (bucket: string): Promise<RoleDecision> => {
    const owner = await objects.bucketOwner(bucket);
    return { owner, problem: owner === undefined || owner === account ? undefined : "Access Denied" };
  };
  return { list: decide, read: decide, write: decide };
};

/** A channel as it is planned, and its pieces. */
async function planned(
  scope: PlannerScope,
  channel: Channel,
): Promise<{ readonly channel: JobChannel; readonly pieces: readonly PlannedPiece[] }> {
  const [head, ...lines] = await Array.fromAsync(planChannels(scope, [channel]));
  if (!head || !("channel" in head)) throw new Error("a plan begins with its channel");
  return { channel: head.channel, pieces: lines.flatMap((line) => ("piece" in line ? [line.piece] : [])) };
}

const plan = async (
  contents: Readonly<Record<string, string>>,
  S3Uri: string,
  S3DataType: "S3Prefix" | "ManifestFile" = "S3Prefix",
): Promise<readonly string[]> => {
  const objects = fakeObjects(contents);
  const scope = { objects, access: access(objects), account, region: "us-west-2", roleArn: "arn:aws:iam::1:role/r" };
  const channel = { ChannelName: "train", DataSource: { S3DataSource: { S3DataType, S3Uri } } };
  return (await planned(scope, channel)).pieces.map((piece) => piece.path);
};

test.for([
  ["a folder with its slash", "s3://bucket/in/", ["in/a", "in/b/c"], ["a", "b/c"]],
  ["a folder without its slash", "s3://bucket/in", ["in/a", "in/b/c"], ["a", "b/c"]],
  ["the beginning of names", "s3://bucket/in/part-", ["in/part-1", "in/part-2", "in/other"], ["part-1", "part-2"]],
  ["the very key of an object", "s3://bucket/in/data", ["in/data"], ["data"]],
  ["a whole bucket", "s3://bucket", ["a", "b/c"], ["a", "b/c"]],
  ["folder markers", "s3://bucket/in/", ["in/", "in/sub/", "in/sub/a"], ["sub/a"]],
  ["a folder beside a name that begins like it", "s3://bucket/in", ["in/x", "inx"], ["x", "inx"]],
  ["names that would meet", "s3://bucket/in", ["in/inx", "inx"], ["in/inx", "inx"]],
  ["empty folder names", "s3://bucket/in/", ["in//a"], ["a"]],
] as const)("%s: %s", async ([, uri, keys, paths]) => {
  const contents = Object.fromEntries(keys.map((key) => [`bucket/${key}`, "x"]));
  expect(await plan(contents, uri)).toEqual(paths);
});

test("a manifest names its objects relative to its prefix, in its own order", async () => {
  const contents = {
    "bucket/m/.amazon.manifest": JSON.stringify([{ prefix: "s3://bucket/m/" }, "matrix_1.pbr", "deep/matrix_0.pbr"]),
    "bucket/m/matrix_1.pbr": "1",
    "bucket/m/deep/matrix_0.pbr": "0",
    "bucket/m/unnamed": "x",
  };
  expect(await plan(contents, "s3://bucket/m/.amazon.manifest", "ManifestFile")).toEqual([
    "matrix_1.pbr",
    "deep/matrix_0.pbr",
  ]);
});

test.for([
  ["nothing under the prefix", "s3://bucket/none", "S3Prefix", 'No S3 objects found under S3 URL "s3://bucket/none"'],
  ["only a folder marker", "s3://bucket/empty/", "S3Prefix", 'No S3 objects found under S3 URL "s3://bucket/empty/"'],
  ["no such bucket", "s3://nowhere/x", "S3Prefix", "The specified bucket does not exist"],
  ["another account's bucket", "s3://foreign/x", "S3Prefix", "Access Denied"],
  ["a key that climbs out", "s3://bucket/up/", "S3Prefix", 'its key has "." or ".."'],
  ["a manifest that is not there", "s3://bucket/none", "ManifestFile", "No S3 objects found"],
  ["a manifest that is not JSON", "s3://bucket/text", "ManifestFile", "is not JSON"],
  ["a manifest without a prefix", "s3://bucket/headless", "ManifestFile", "does not begin with a prefix"],
  ["a manifest with numbers", "s3://bucket/numbers", "ManifestFile", "an entry that is not a string"],
  ["a manifest that names what is not there", "s3://bucket/lost", "ManifestFile", 's3://bucket/gone"'],
] as const)("%s fails the download: %s", async ([, uri, type, problem]) => {
  const contents = {
    "bucket/empty/": "",
    "bucket/up/../../etc/passwd": "x",
    "bucket/text": "hello",
    "bucket/headless": '["a"]',
    "bucket/numbers": '[{"prefix":"s3://bucket/"},1]',
    "bucket/lost": '[{"prefix":"s3://bucket/"},"gone"]',
  };
  const failure = plan(contents, uri, type);
  await expect(failure).rejects.toThrow(/^ClientError: Data download failed: /);
  await expect(failure).rejects.toThrow(problem);
});

test("the shards of a channel share out every object once, as evenly as can be", () => {
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: 1, max: 7 }), (objects, instances) => {
      const files = Array.from({ length: objects }, (_, at) => at);
      const channel: JobChannel = { name: "train", isGzip: false, isSharded: true };
      const shards = Array.from({ length: instances }, (_, index) =>
        files.filter((at) => isForInstance(channel, at, index, instances)),
      );
      const sizes = shards.map((shard) => shard.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(new Set(shards.flat())).toEqual(new Set(files));
      expect(shards.flat()).toHaveLength(objects);
    }),
  );
});

const augmented = async (lines: readonly string[], names: readonly string[], more: object = {}) => {
  const contents = { "bucket/list.jsonl": lines.join("\n"), "bucket/a.jpg": "AAAA", "bucket/b.jpg": "BB" };
  const objects = fakeObjects(contents);
  const scope = { objects, access: access(objects), account, region: "us-west-2", roleArn: "arn:aws:iam::1:role/r" };
  const source = {
    S3DataType: "AugmentedManifestFile",
    S3Uri: "s3://bucket/list.jsonl",
    AttributeNames: names,
  } as const;
  return planned(scope, { ChannelName: "train", DataSource: { S3DataSource: { ...source, ...more } } });
};

test("an augmented manifest's lines become objects and values, in the order of the names", async () => {
  const lines = [
    `{"source-ref": "s3://bucket/a.jpg", "class": 1, "other": true}`,
    "",
    `{"class": {"b": [1, "x"]}, "source-ref": "s3://bucket/b.jpg"}`,
  ];
  const { channel, pieces } = await augmented(lines, ["source-ref", "class"]);
  expect(channel.groupSize).toBe(2);
  expect(pieces).toEqual([
    { path: "source-ref of line 1", sizeBytes: 4, blobId: "bucket/a.jpg", key: "a.jpg" },
    { path: "class of line 1", text: "1" },
    { path: "source-ref of line 3", sizeBytes: 2, blobId: "bucket/b.jpg", key: "b.jpg" },
    { path: "class of line 3", text: `{"b":[1,"x"]}` },
  ]);
});

test("sharding an augmented manifest keeps the attributes of a line together", async () => {
  const lines = [1, 2, 3].map((at) => JSON.stringify({ x: at, y: -at }));
  const { channel, pieces } = await augmented(lines, ["x", "y"], { S3DataDistributionType: "ShardedByS3Key" });
  const shown = (index: number) =>
    pieces
      .filter((_, at) => isForInstance(channel, at, index, 2))
      .map((piece) => ("text" in piece ? piece.text : piece.key));
  expect([shown(0), shown(1)]).toEqual([
    ["1", "-1", "3", "-3"],
    ["2", "-2"],
  ]);
});

test.for([
  ["a missing attribute", `{"a": 1}`, /line 1: it has no attribute "class"/],
  ["no JSON", `{"class": `, /line 1/],
  ["a list", `[1]`, /line 1: not a JSON object/],
  ["no lines", "", /has no lines/],
] as const)("an augmented manifest with %s fails the job with a reason", async ([, line, reason]) => {
  await expect(augmented([line], ["class"])).rejects.toThrow(reason);
});

test("an augmented manifest that names what is not there, or not an address, fails the job with a reason", async () => {
  await expect(augmented([`{"x-ref": "s3://bucket/none"}`], ["x-ref"])).rejects.toThrow(/No S3 objects found.*none/);
  await expect(augmented([`{"x-ref": "/etc/passwd"}`], ["x-ref"])).rejects.toThrow(/is not an S3 address/);
  await expect(augmented([`{"x-ref": "s3://foreign/a"}`], ["x-ref"])).rejects.toThrow(/Access Denied/);
});
