import { expect, test } from "vitest";
import { createModels, type Shape, type StringShape } from "./index.ts";
import { wholeTextPattern } from "./pattern.ts";

const models = createModels();

/** Every string shape with a pattern that an input of the service reaches, by "service.Shape". */
function patternedShapes(): Map<string, StringShape> {
  const found = new Map<string, StringShape>();
  for (const name of models.names) {
    const seen = new Set<Shape>();
    const visit = (shape: Shape): void => {
      if (seen.has(shape)) return;
      seen.add(shape);
      if (shape.type === "string" && shape.matchedPattern !== undefined) found.set(`${name}.${shape.name}`, shape);
      if (shape.type === "structure") for (const member of shape.members.values()) visit(member.shape);
      if (shape.type === "list") visit(shape.member.shape);
      if (shape.type === "map") for (const { shape: inner } of [shape.key, shape.value]) visit(inner);
    };
    for (const { input } of models.serviceModel(name).operations.values()) visit(input);
  }
  return found;
}

const shapes = patternedShapes();
const seeds = ["a", "a-", "-", "a.", "a/", "arn:", "*", "1", "A", " ", "_", "a:", "é", "/", "..", "a,"];

test("every pattern of every model can be read", () => {
  expect(shapes.size).toBeGreaterThan(400);
  for (const [name, { matchedPattern = "" }] of shapes)
    expect(() => wholeTextPattern(matchedPattern), name).not.toThrow();
});

test.each([
  "sagemaker.ClusterSchedulerPriorityClassName",
  "sagemaker.ComputeQuotaTargetTeamName",
  "ecr.ScanningRepositoryFilterValue",
])("%s, slow as published, takes 4 KB of anything in milliseconds", (name) => {
  const pattern = wholeTextPattern(shapes.get(name)?.matchedPattern ?? "(missing");
  const started = performance.now();
  for (const seed of seeds) pattern.test(`${seed.repeat(4096 / seed.length)}!`);
  expect(performance.now() - started).toBeLessThan(200);
});

test("no pattern takes exponential time", () => {
  for (const [name, { matchedPattern = "" }] of shapes) {
    const pattern = wholeTextPattern(matchedPattern);
    const started = performance.now();
    for (const seed of seeds) pattern.test(`a${seed.repeat(1024 / seed.length)}!`);
    // Quadratic ones take some milliseconds; an exponential one would never come back.
    expect(performance.now() - started, name).toBeLessThan(1000);
  }
});

test("corrected patterns take and refuse what the published ones do", () => {
  const team = wholeTextPattern(shapes.get("sagemaker.ComputeQuotaTargetTeamName")?.matchedPattern ?? "");
  expect(["a", "team-a", "a--b", "0"].every((text) => team.test(text))).toBe(true);
  expect(["", "-a", "a-", "A", "a_b"].some((text) => team.test(text))).toBe(false);
  const filter = wholeTextPattern(shapes.get("ecr.ScanningRepositoryFilterValue")?.matchedPattern ?? "");
  expect(["*", "a", "a/b", "prod-*", "a.b_c"].every((text) => filter.test(text))).toBe(true);
  expect(["", "/a", "a/", "a//b", "A"].some((text) => filter.test(text))).toBe(false);
});

test("Java's own classes and anchors are translated", () => {
  expect(wholeTextPattern("\\A\\S[\\p{Print}]*\\z").test("abc def")).toBe(true);
  expect(wholeTextPattern("\\A\\S[\\p{Print}]*\\z").test("abc\u0001")).toBe(false);
  expect(wholeTextPattern("\\p{Print}+").test("a b")).toBe(true);
  expect(wholeTextPattern("[\\p{Alnum}\\-]+").test("a-1")).toBe(true);
  expect(wholeTextPattern("a|b").test("ax")).toBe(false);
});
