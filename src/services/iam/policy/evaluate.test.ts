import { assert, constantFrom, json, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { scenesByIdentity } from "./decisions-by-identity.fake.ts";
import { scenesByResource } from "./decisions-by-resource.fake.ts";
import { evaluate, reasonOf, type Decision, type NamedPolicy, type Principal } from "./evaluate.ts";
import { compilePattern } from "./pattern.ts";
import { compilePolicy, PolicyProblem, type PolicySort } from "./policy-document.ts";
import type { Line, Scene, Who } from "./scene.fake.ts";

const scenes: readonly Scene[] = [...scenesByIdentity, ...scenesByResource];

const principals: Readonly<Record<Who, Principal>> = {
  ann: { account: "111122223333", arn: "arn:aws:iam::111122223333:user/ann", userId: "AIDAEXAMPLE0000000001" },
  trainer: {
    account: "111122223333",
    arn: "arn:aws:sts::111122223333:assumed-role/Trainer/s1",
    userId: "AROAEXAMPLE0000000001:s1",
    roleArn: "arn:aws:iam::111122223333:role/team/Trainer",
  },
  root: { account: "111122223333", arn: "arn:aws:iam::111122223333:root", userId: "111122223333" },
  bob: {
    account: "444455556666",
    arn: "arn:aws:iam::444455556666:user/bob",
    userId: "AIDAEXAMPLE0000000002",
    canonicalUserId: "c0ffee",
  },
  bobRoot: { account: "444455556666", arn: "arn:aws:iam::444455556666:root", userId: "444455556666" },
  anyone: { account: undefined, arn: "anonymous", userId: "anonymous" },
  sagemaker: { account: undefined, arn: "sagemaker.amazonaws.com", userId: "", service: "sagemaker.amazonaws.com" },
};

const told = (decision: Decision): string => {
  const [first] = decision.by;
  const by = first ? ` by ${first.policy}/${first.statement}` : "";
  if (decision.isAllowed) return `allowed${by}`;
  return decision.isExplicit ? `denied${by}` : `no ${decision.kind}`;
};

function decide(scene: Scene, [action, resource, , given = {}]: Line): string {
  const named = (name: string, sort: PolicySort, Statement: readonly object[]): NamedPolicy => ({
    name,
    policy: compilePolicy(JSON.stringify({ Version: scene.version ?? "2012-10-17", Statement }), sort),
  });
  const list = (name: "id" | "id2" | "session"): NamedPolicy[] => {
    const statements = scene[name];
    return statements ? [named(name, "identity", statements)] : [];
  };
  const values = new Map(Object.entries(given).map(([key, value]) => [key.toLowerCase(), [value].flat()]));
  const keys = (key: string): readonly string[] | undefined => values.get(key);
  const decision = evaluate(
    { principal: principals[scene.who ?? "ann"], action, resource, keys },
    {
      identity: [...list("id"), ...list("id2")],
      session: list("session"),
      boundary: scene.border && named("border", "identity", scene.border),
      resource: scene.bucket && named("bucket", scene.isTrust ? "trust" : "resource", scene.bucket),
      resourceAccount: "111122223333",
      needsResourcePolicy: scene.isTrust ?? false,
    },
  );
  return told(decision);
}

describe("the table of decisions", () => {
  test("has at least 150 lines", () => {
    expect(scenes.flatMap((scene) => scene.lines).length).toBeGreaterThanOrEqual(150);
  });

  test.each(scenes.map((scene): [string, Scene] => [`${scene.who ?? "ann"}: ${scene.about}`, scene]))(
    "%s",
    (_, scene) => {
      const outcome = (line: Line): string => decide(scene, line);
      const table = (third: (line: Line) => string) =>
        scene.lines.map((line) => [line[0], line[1], JSON.stringify(line[3] ?? {}), third(line)].join("  "));
      expect(table(outcome)).toEqual(table((line) => line[2]));
    },
  );
});

test("a denial is told as AWS tells it", () => {
  const missing = { isAllowed: false, isExplicit: false, by: [] } as const;
  const explicit = { isAllowed: false, isExplicit: true, by: [] } as const;
  expect(reasonOf({ ...missing, kind: "identity-based policy" }, "s3:GetObject")).toBe(
    "because no identity-based policy allows the s3:GetObject action",
  );
  expect(reasonOf({ ...explicit, kind: "identity-based policy" }, "x")).toBe(
    "with an explicit deny in an identity-based policy",
  );
  expect(reasonOf({ ...explicit, kind: "resource-based policy" }, "x")).toBe(
    "with an explicit deny in a resource-based policy",
  );
});

test("patterns match as their regular expressions do", () => {
  const letters = string({ unit: constantFrom("a", "b", "*", "?"), maxLength: 12 });
  const plain = string({ unit: constantFrom("a", "b"), maxLength: 12 });
  const regular = (pattern: string): RegExp =>
    new RegExp(`^${pattern.replaceAll(/\*+/g, ".*").replaceAll("?", ".")}$`, "s");
  assert(
    property(letters, plain, (pattern, text) => {
      const matches = compilePattern(pattern, { hasVariables: true }).matches(text, () => undefined);
      expect(matches).toBe(regular(pattern).test(text));
    }),
    { numRuns: 2_000 },
  );
});

test("a hostile pattern ends: each piece of it is looked for once", () => {
  const pattern = compilePattern(`${"a*?".repeat(500)}b`, { hasVariables: false });
  expect(pattern.matches("a".repeat(100_000), () => undefined)).toBe(false);
});

const problems: readonly (readonly [PolicySort, string, RegExp])[] = [
  ["identity", "{", /invalid Json/],
  ["identity", "[]", /Syntax errors/],
  ["identity", '{"Version":"2012-10-17"}', /Syntax errors/],
  ["identity", '{"Version":"2020-01-01","Statement":[]}', /Syntax errors/],
  ["identity", '{"Statement":[]}', /Syntax errors/],
  ["identity", '{"Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}', /Syntax errors/],
  ["identity", '{"Statement":{"Effect":"Allow","Resource":"*"}}', /must contain actions/],
  ["identity", '{"Statement":{"Effect":"Allow","Action":"s3:*"}}', /must contain resources/],
  ["identity", '{"Statement":{"Effect":"Allow","Action":"GetObject","Resource":"*"}}', /vendor/],
  ["identity", '{"Statement":{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"}}', /Syntax errors/],
  ["identity", '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}}', /ARN format/],
  ["identity", '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}}', /principal/],
  ["identity", '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Extra":1}}', /Syntax errors/],
  ["identity", '{"Statement":{"Effect":"Allow","Action":5,"Resource":"*"}}', /Syntax errors/],
  [
    "identity",
    '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}}',
    /Invalid Condition type/,
  ],
  ["resource", '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}', /Missing required field Principal/],
  [
    "resource",
    '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":{"AWS":"ann"}}}',
    /Invalid pri/,
  ],
  ["trust", '{"Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*","Principal":"*"}}', /prohibited field Res/],
];

test.each(problems)("as %s policy, %s is refused", (sort, text, message) => {
  expect(() => compilePolicy(text, sort)).toThrow(PolicyProblem);
  expect(() => compilePolicy(text, sort)).toThrow(message);
});

test("whatever is given as a policy is compiled or refused, and nothing else happens", () => {
  assert(
    property(json(), (text) => {
      try {
        compilePolicy(text);
      } catch (error) {
        expect(error).toBeInstanceOf(PolicyProblem);
      }
    }),
  );
});

test("a policy says which keys it asks for", () => {
  const text = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "*",
      Resource: "arn:aws:s3:::${aws:PrincipalTag/Team}/*",
      Condition: { StringEquals: { "aws:ResourceTag/A": "${aws:username}" } },
    },
  });
  expect([...compilePolicy(text).keys].toSorted()).toEqual([
    "aws:principaltag/team",
    "aws:resourcetag/a",
    "aws:username",
  ]);
});
