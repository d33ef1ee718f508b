import { expect, test } from "vitest";
import { fakeResources, numbered, reconciled } from "./numbered.fake.ts";

const rowOf = async ({ store }: Awaited<ReturnType<typeof fakeResources>>, name: string) =>
  store.read.selectFrom("resources").selectAll().where("name", "=", name).executeTakeFirstOrThrow();

test("what was created is found again, with its parts as they were given", async () => {
  const { resources, clock } = await fakeResources();
  const tags = [{ Key: "a", Value: "b" }];
  const created = await resources.create(numbered, "one", { size: 1 }, { tags });
  expect(created).toMatchObject({
    arn: "arn:aws:test:us-west-2:000000000000:numbered/one",
    spec: { size: 1 },
    status: { state: "New" },
    intent: {},
    tags,
    createdAt: clock.now(),
    modifiedAt: clock.now(),
  });
  expect(await resources.get(numbered, "one")).toEqual(created);
});

test("a name is taken once per kind, account and region", async () => {
  const { resources, of } = await fakeResources();
  await resources.create(numbered, "one", {});
  await expect(resources.create(numbered, "one", {})).rejects.toMatchObject({
    code: "ResourceInUse",
    message: "arn:aws:test:us-west-2:000000000000:numbered/one exists",
  });
  await resources.create(reconciled, "one", {});
  await of("111111111111").create(numbered, "one", {});
  await of("000000000000", "eu-west-1").create(numbered, "one", {});
});

test("of several that ask for a name at once, one gets it", async () => {
  const { resources } = await fakeResources();
  const answers = await Promise.allSettled([1, 2, 3].map((size) => resources.create(numbered, "one", { size })));
  expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
});

test("nobody sees, changes or deletes the resources of another account or region", async () => {
  const { resources, of } = await fakeResources();
  await resources.create(numbered, "one", {});
  for (const stranger of [of("111111111111"), of("000000000000", "eu-west-1")]) {
    expect(await stranger.find(numbered, "one")).toBeUndefined();
    await expect(stranger.get(numbered, "one")).rejects.toMatchObject({ code: "ResourceNotFound" });
    await expect(stranger.change(numbered, "one", () => ({ spec: {} }))).rejects.toMatchObject({
      code: "ResourceNotFound",
    });
    await expect(stranger.delete(numbered, "one")).rejects.toMatchObject({ code: "ResourceNotFound" });
  }
  expect(await resources.find(numbered, "one")).toBeDefined();
});

test("a creation is undone with what should have been written alongside", async () => {
  const { resources, nudges } = await fakeResources();
  const alongside = () => Promise.reject(new Error("no room"));
  await expect(resources.create(reconciled, "one", {}, { alongside })).rejects.toThrow("no room");
  expect(await resources.find(reconciled, "one")).toBeUndefined();
  expect(nudges()).toBe(0);
});

test("a change keeps what it does not name, and says when it was made", async () => {
  const { resources, clock } = await fakeResources();
  const created = await resources.create(numbered, "one", { size: 1 }, { tags: [{ Key: "a", Value: "b" }] });
  await clock.advance(1_000);
  const changed = await resources.change(numbered, "one", ({ spec }) => ({ spec: { size: (spec.size ?? 0) + 1 } }));
  expect(changed).toEqual({ ...created, spec: { size: 2 }, modifiedAt: clock.now() });
  expect(await resources.get(numbered, "one")).toEqual(changed);
});

test("a decision to change nothing, or to refuse, leaves the resource as it is", async () => {
  const { resources, clock } = await fakeResources();
  const created = await resources.create(numbered, "one", { size: 1 });
  await clock.advance(1_000);
  expect(await resources.change(numbered, "one", () => undefined)).toEqual(created);
  const refuse = (): never => {
    throw new Error("not now");
  };
  await expect(resources.change(numbered, "one", refuse)).rejects.toThrow("not now");
  expect(await resources.get(numbered, "one")).toEqual(created);
});

test("changes that come at once all count", async () => {
  const { resources } = await fakeResources();
  await resources.create(numbered, "one", { size: 0 });
  const increment = () => resources.change(numbered, "one", ({ spec }) => ({ spec: { size: (spec.size ?? 0) + 1 } }));
  await Promise.all(Array.from({ length: 20 }, increment));
  expect((await resources.get(numbered, "one")).spec).toEqual({ size: 20 });
});

test("creating and changing what a reconciler works on makes it due and wakes the engine; other kinds stay asleep", async () => {
  const fake = await fakeResources();
  const { resources, clock, nudges } = fake;
  await resources.create(numbered, "still", {});
  await resources.change(numbered, "still", () => ({ spec: { size: 1 } }));
  expect(nudges()).toBe(0);
  expect(await rowOf(fake, "still")).toMatchObject({ wake_at: null, generation: 2 });

  await resources.create(reconciled, "awake", {});
  expect(nudges()).toBe(1);
  await clock.advance(5_000);
  await resources.change(reconciled, "awake", () => ({ intent: { isStopped: true } }));
  expect(nudges()).toBe(2);
  expect(await rowOf(fake, "awake")).toMatchObject({ wake_at: clock.now().getTime(), generation: 2 });
});

test("a deletion that its check refuses does not happen", async () => {
  const { resources } = await fakeResources();
  await resources.create(numbered, "one", {});
  const check = (): never => {
    throw new Error("in use");
  };
  await expect(resources.delete(numbered, "one", check)).rejects.toThrow("in use");
  expect(await resources.find(numbered, "one")).toBeDefined();
  await resources.delete(numbered, "one");
  expect(await resources.find(numbered, "one")).toBeUndefined();
});

test("a new resource of a deleted one's name is another resource", async () => {
  const { resources } = await fakeResources();
  const first = await resources.create(numbered, "one", { size: 1 });
  await resources.delete(numbered, "one");
  const second = await resources.create(numbered, "one", {});
  expect(second.uid).not.toBe(first.uid);
  expect(second.spec).toEqual({});
});
