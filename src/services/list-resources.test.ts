import * as fc from "fast-check";
import { expect, test } from "vitest";
import { listResourcesOf, type ListInput } from "./list-resources.ts";
import { fakeResources, numbered, reconciled, type FakeResources } from "./numbered.fake.ts";
import type { Resources } from "./resources.ts";

const defaults = { sortBy: "CreationTime", sortOrder: "Descending" } as const;

const list = async (resources: Resources, input: ListInput = {}) => {
  const { summaries, NextToken } = await listResourcesOf(resources, numbered, input, defaults);
  return { names: summaries.map((summary) => (summary as { readonly Name: string }).Name), NextToken };
};

/** Creates in this order, a second apart. */
async function createAll({ resources, clock }: FakeResources, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await resources.create(numbered, name, {});
    await clock.advance(1_000);
  }
}

test("lists the newest first, ten at a time, unless asked otherwise", async () => {
  const fake = await fakeResources();
  await createAll(
    fake,
    Array.from({ length: 12 }, (_, at) => `n${at}`),
  );
  const first = await list(fake.resources);
  expect(first.names).toEqual(["n11", "n10", "n9", "n8", "n7", "n6", "n5", "n4", "n3", "n2"]);
  const second = await list(fake.resources, { NextToken: first.NextToken });
  expect(second).toEqual({ names: ["n1", "n0"], NextToken: undefined });
  expect((await list(fake.resources, { SortBy: "Name", SortOrder: "Ascending", MaxResults: 3 })).names).toEqual([
    "n0",
    "n1",
    "n10",
  ]);
});

test("a page that ends with the last row has no token", async () => {
  const fake = await fakeResources();
  await createAll(fake, ["a", "b"]);
  expect((await list(fake.resources, { MaxResults: 2 })).NextToken).toBeUndefined();
  expect((await list(fake.resources, { MaxResults: 1 })).NextToken).toBeDefined();
});

test("filters by name regardless of case, by time inclusively, and by state", async () => {
  const fake = await fakeResources();
  const { resources, clock } = fake;
  await createAll(fake, ["Alpha", "beta", "ALPINE"]);
  expect((await list(resources, { NameContains: "alp" })).names).toEqual(["ALPINE", "Alpha"]);
  expect((await list(resources, { NameContains: "%" })).names).toEqual([]);
  const second = new Date("2026-01-01T00:00:01Z");
  expect((await list(resources, { CreationTimeAfter: second, CreationTimeBefore: second })).names).toEqual(["beta"]);
  await resources.change(numbered, "Alpha", () => ({ spec: { size: 1 } }));
  expect((await list(resources, { LastModifiedTimeAfter: clock.now() })).names).toEqual(["Alpha"]);
  await resources.create(numbered, "done", {}, { status: { state: "Done" } });
  expect((await list(resources, { StatusEquals: "Done" })).names).toEqual(["done"]);
});

test("lists only the caller's account, region and kind", async () => {
  const fake = await fakeResources();
  await createAll(fake, ["mine"]);
  await fake.resources.create(reconciled, "other-kind", {});
  await fake.of("111111111111").create(numbered, "other-account", {});
  await fake.of("000000000000", "eu-west-1").create(numbered, "other-region", {});
  expect((await list(fake.resources)).names).toEqual(["mine"]);
});

test("a token is refused with other parameters, by another kind, and when it was tampered with", async () => {
  const fake = await fakeResources();
  await createAll(fake, ["a", "b", "c"]);
  const { NextToken = "" } = await list(fake.resources, { MaxResults: 1 });
  const refused = { code: "ValidationException", message: expect.stringContaining("NextToken") };

  await expect(list(fake.resources, { NextToken, SortBy: "Name" })).rejects.toMatchObject(refused);
  await expect(list(fake.resources, { NextToken, NameContains: "a" })).rejects.toMatchObject(refused);
  await expect(listResourcesOf(fake.resources, reconciled, { NextToken }, defaults)).rejects.toMatchObject(refused);

  const token = JSON.parse(Buffer.from(NextToken, "base64url").toString()) as object;
  const spoiled = [{ ...token, uid: 1 }, { ...token, value: null }, { ...token, query: "" }, [token], null, "x", {}];
  for (const value of spoiled) {
    const text = Buffer.from(JSON.stringify(value)).toString("base64url");
    await expect(list(fake.resources, { NextToken: text }), text).rejects.toMatchObject(refused);
  }
});

test("whatever is given as a token, the answer is a list or the refusal", async () => {
  const fake = await fakeResources();
  await createAll(fake, ["a", "b"]);
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 100, unit: "binary" }), async (NextToken) => {
      await expect(list(fake.resources, { NextToken })).rejects.toMatchObject({ code: "ValidationException" });
    }),
    { numRuns: 100 },
  );
});

test("a page may have another size than the one before", async () => {
  const fake = await fakeResources();
  await createAll(fake, ["a", "b", "c"]);
  const { NextToken } = await list(fake.resources, { MaxResults: 1 });
  expect((await list(fake.resources, { MaxResults: 100, NextToken })).names).toEqual(["b", "a"]);
});

type Step =
  | { readonly does: "insert" | "delete"; readonly name: number }
  | { readonly does: "page"; readonly size: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant("insert" as const), name: fc.nat(30) }),
  fc.record({ does: fc.constant("delete" as const), name: fc.nat(30) }),
  fc.record({ does: fc.constant("page" as const), size: fc.integer({ min: 1, max: 4 }) }),
);

const order = fc.record({
  SortBy: fc.constantFrom("Name", "CreationTime", "LastModifiedTime", "Status"),
  SortOrder: fc.constantFrom("Ascending", "Descending"),
});

test("pages show what stays exactly once, in order, whatever is inserted and deleted in between", async () => {
  await fc.assert(
    fc.asyncProperty(
      order,
      fc.uniqueArray(fc.nat(30), { maxLength: 15 }),
      fc.array(step, { maxLength: 12 }),
      pagesHold,
    ),
    { numRuns: 60 },
  );
});

/** Rows of one instant and one state too: half of them share theirs. */
async function insert({ resources, clock }: FakeResources, number: number): Promise<void> {
  const status = { state: number % 2 === 0 ? "Even" : "Odd" };
  if (number % 2 === 0) await clock.advance(1_000);
  await resources.create(numbered, `n${number}`, {}, { status });
}

/** The simple model: who is there now, and who was there all the time. */
async function pagesHold(sorting: ListInput, initial: readonly number[], steps: readonly Step[]): Promise<void> {
  const fake = await fakeResources();
  const { resources } = fake;
  for (const number of initial) await insert(fake, number);
  const present = new Set(initial);
  const stable = new Set(initial);
  const shown: string[] = [];
  const reading: { token?: string | undefined; isOver: boolean } = { isOver: false };
  const read = async (MaxResults: number): Promise<void> => {
    const page = await list(resources, { ...sorting, MaxResults, NextToken: reading.token });
    expect(page.names.length).toBeLessThanOrEqual(MaxResults);
    shown.push(...page.names);
    reading.token = page.NextToken;
    reading.isOver = page.NextToken === undefined;
  };
  for (const taken of steps) {
    if (taken.does === "page" && !reading.isOver) await read(taken.size);
    if (taken.does === "insert" && !present.has(taken.name)) {
      await insert(fake, taken.name);
      present.add(taken.name);
    }
    if (taken.does === "delete" && present.delete(taken.name)) {
      await resources.delete(numbered, `n${taken.name}`);
      stable.delete(taken.name);
    }
  }
  while (!reading.isOver) await read(2);
  const isStable = (name: string): boolean => stable.has(Number(name.slice(1)));
  const all = await list(resources, { ...sorting, MaxResults: 100 });
  expect(all.names.length).toBe(present.size);
  expect(shown.filter(isStable)).toEqual(all.names.filter(isStable));
}
