import { expect, test } from "vitest";
import { openTestStore } from "../database/store.fake.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { createCapacity, releaseCapacity } from "./capacity.ts";

async function setup() {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  const capacity = createCapacity({ store, clock, limits: { jobs: 4, hosting: 2 } });
  const ask = async (owner: string, instances: number) => {
    await clock.advance(1);
    return capacity.request(owner, { pool: "jobs", instances });
  };
  const release = (owner: string) => store.write((tx) => releaseCapacity(tx, owner));
  return { capacity, ask, release };
}

test("a job gets all its instances or none", async () => {
  const { ask } = await setup();
  expect((await ask("a", 3)).isGranted).toBe(true);
  expect(await ask("b", 2)).toMatchObject({ isGranted: false, ahead: 0, used: 3, limit: 4 });
});

test("the line is first come first served: a small job does not overtake a large one", async () => {
  const { ask, release } = await setup();
  await ask("a", 3);
  expect((await ask("large", 4)).isGranted).toBe(false);
  expect(await ask("small", 1)).toMatchObject({ isGranted: false, ahead: 1 });
  await release("a");
  expect((await ask("small", 1)).isGranted).toBe(false);
  expect((await ask("large", 4)).isGranted).toBe(true);
  await release("large");
  expect((await ask("small", 1)).isGranted).toBe(true);
});

test("asking again changes nothing", async () => {
  const { ask } = await setup();
  expect((await ask("a", 4)).isGranted).toBe(true);
  expect((await ask("a", 4)).isGranted).toBe(true);
});

test("endpoints have a pool of their own and can grow and shrink in it", async () => {
  const { capacity, ask } = await setup();
  await ask("a", 4);
  expect(await capacity.resize("hosting", "e", 2)).toBe(true);
  expect(await capacity.resize("hosting", "f", 1)).toBe(false);
  expect(await capacity.resize("hosting", "e", 1)).toBe(true);
  expect(await capacity.resize("hosting", "f", 1)).toBe(true);
});
