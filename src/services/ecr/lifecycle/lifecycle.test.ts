import { afterAll, beforeAll, expect, test } from "vitest";
import { imageType, indexType, startFakeRegistry, type FakeRegistry } from "../registry.fake.ts";
import { expiringAmong, type Candidate } from "./expiring-images.ts";
import { checkLifecyclePolicy } from "./lifecycle-policy.ts";
import { sweepLifecycle } from "./sweep-lifecycle.ts";

const now = new Date("2026-02-01T00:00:00Z");
const image = (digest: string, daysOld: number, ...tags: readonly string[]): Candidate => ({
  digest,
  tags,
  pushedAt: new Date(now.getTime() - daysOld * 24 * 3_600_000),
});
const images = [
  image("a", 30, "prod-1"),
  image("b", 20, "prod-2", "latest"),
  image("c", 10),
  image("d", 5, "dev-x"),
  image("e", 1),
];

const rule = (rulePriority: number, selection: object) => ({ rulePriority, selection, action: { type: "expire" } });
const count = (countNumber: number) => ({ countType: "imageCountMoreThan", countNumber });
const days = (countNumber: number) => ({ countType: "sinceImagePushed", countUnit: "days", countNumber });
const policyOf = (...rules: readonly object[]): string => JSON.stringify({ rules });
const gone = (...rules: readonly object[]): string =>
  expiringAmong(checkLifecyclePolicy(policyOf(...rules)), images, now)
    .map(({ digest, rulePriority }) => `${digest}${rulePriority}`)
    .join(" ");

test.each([
  ["the newest two of any", [rule(1, { tagStatus: "any", ...count(2) })], "a1 b1 c1"],
  ["untagged ones of a week", [rule(1, { tagStatus: "untagged", ...days(7) })], "c1"],
  ["one of a prefix", [rule(1, { tagStatus: "tagged", tagPrefixList: ["prod"], ...count(1) })], "a1"],
  [
    "those that have all prefixes",
    [rule(1, { tagStatus: "tagged", tagPrefixList: ["prod", "lat"], ...days(1) })],
    "b1",
  ],
  ["a pattern", [rule(1, { tagStatus: "tagged", tagPatternList: ["*-x"], ...days(1) })], "d1"],
  [
    "what an earlier rule selected and kept",
    [
      rule(9, { tagStatus: "any", ...count(1) }),
      rule(1, { tagStatus: "tagged", tagPrefixList: ["prod"], ...count(5) }),
    ],
    "c9 d9",
  ],
])("a policy keeps %s", (_, rules, expected) => {
  expect(gone(...rules)).toBe(expected);
});

test.each([
  "nothing",
  "{}",
  '{"rules":[]}',
  policyOf(rule(1, { tagStatus: "tagged", ...count(1) })),
  policyOf(rule(1, { tagStatus: "untagged", tagPrefixList: ["a"], ...count(1) })),
  policyOf(rule(1, { tagStatus: "any", ...count(0) })),
  policyOf(rule(1, { tagStatus: "any", countType: "sinceImagePushed", countNumber: 1 })),
  policyOf(rule(1, { tagStatus: "untagged", ...count(1) }), rule(1, { tagStatus: "any", ...count(1) })),
  policyOf(rule(1, { tagStatus: "any", ...count(1) }), rule(2, { tagStatus: "untagged", ...count(1) })),
])("%s is no policy", (text) => {
  expect(() => checkLifecyclePolicy(text)).toThrow("Lifecycle policy validation failure");
});

let registry: FakeRegistry;

beforeAll(async () => {
  registry = await startFakeRegistry(["aging"]);
});

afterAll(() => registry.stop());

test("a preview says what the sweep then does, and images of a list stay", async () => {
  const repository = { repositoryName: "aging" };
  const digests: string[] = [];
  for (const content of ["first", "second", "third"]) {
    digests.push((await registry.pushImage("aging", content, content)).digest);
    await registry.salvia.clock.advance(60_000);
  }
  const [first = "", second = ""] = digests;
  const manifests = [{ mediaType: imageType, digest: first, size: 10 }];
  const list = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  await registry.ask("PUT", "aging/manifests/list", { body: list, headers: { "content-type": indexType } });
  const lifecyclePolicyText = policyOf({ ...rule(1, { tagStatus: "any", ...count(2) }), description: "x".repeat(60) });
  await registry.call("ecr", "StartLifecyclePolicyPreview", { ...repository, lifecyclePolicyText });
  const preview = await registry.call("ecr", "GetLifecyclePolicyPreview", repository);
  expect(preview).toMatchObject({
    status: "COMPLETE",
    summary: { expiringImageTotalCount: 1 },
    previewResults: [
      { imageDigest: second, imageTags: ["second"], appliedRulePriority: 1, action: { type: "EXPIRE" } },
    ],
  });
  await registry.call("ecr", "PutLifecyclePolicy", { ...repository, lifecyclePolicyText });
  const { store, clock } = registry.salvia;
  expect(await sweepLifecycle(store, clock.now())).toBe(1);
  expect(await sweepLifecycle(store, clock.now())).toBe(0);
  const { imageIds } = await registry.call("ecr", "ListImages", repository);
  const tags = (imageIds as readonly { readonly imageTag: string }[]).map(({ imageTag }) => imageTag);
  expect(tags.sort()).toEqual(["first", "list", "third"]);
});
