import { sql } from "kysely";
import { expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { openTestStore } from "../store.fake.ts";
import { chargesOfPools } from "./0018-charges-of-pools.ts";

test("what warm pools had cost becomes charges of their own, and the jobs' stay", async () => {
  const store = await openTestStore({ clock: systemClock });
  const job = {
    id: "with",
    account: "000000000000",
    region: "us-west-2",
    kind: "training-job",
    name: "one",
    instance_type: "ml.m5.large",
    instances: 2,
    started_at: 1_790_000_000_000,
    ended_at: 1_790_000_100_000,
    billed_seconds: 100,
    saved_seconds: 0,
    tags: "[]",
  };
  const without = { ...job, id: "without", name: "two" };
  await store.write(async (tx) => {
    await sql`alter table charges add column retained_seconds double precision not null default 0`.execute(tx);
    await tx.insertInto("charges").values([job, without]).execute();
    await sql`update charges set retained_seconds = 12.5 where id = 'with'`.execute(tx);
    await chargesOfPools.up(tx);
  });
  const pool = {
    ...job,
    id: "with/pool",
    kind: "warm-pool",
    started_at: 1_790_000_100_000,
    ended_at: 1_790_000_112_500,
    billed_seconds: 12.5,
  };
  expect(await store.read.selectFrom("charges").selectAll().orderBy("id").execute()).toEqual([job, pool, without]);
  await store.close();
});
