import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { TaskEvent } from "../../../task/report.ts";
import { bodyText, fakeSagemaker, kmeansJob, runsThrough, type FakeSagemaker } from "../sagemaker.fake.ts";
import { nothingObserved, observe, phaseRank } from "./observed-task.ts";
import { readReport } from "./report-reader.ts";
import { planAnswer } from "../plan-answer.fake.ts";

async function launched(instances = 1): Promise<{ world: FakeSagemaker; key: string }> {
  const world = await fakeSagemaker();
  for (const name of ["a", "b", "c"]) await world.putObject(`data/${name}`, name.repeat(3));
  const job = kmeansJob("job", instances);
  const channel = {
    ChannelName: "train",
    DataSource: {
      S3DataSource: {
        S3DataType: "S3Prefix",
        S3Uri: "s3://bucket/data/",
        S3DataDistributionType: "ShardedByS3Key",
      },
    },
  } as const;
  await world.call("CreateTrainingJob", { ...job, InputDataConfig: [channel] });
  await world.settle();
  const [key = ""] = [...world.tasks.running.keys()].sort();
  return { world, key };
}

const answered = async (response: Promise<{ status: number }>): Promise<unknown> =>
  JSON.parse(await bodyText(await response)) as unknown;

const line = (text: string): TaskEvent => ({ type: "output", lines: [{ at: 1, text }] });

test("a report sent twice is stored once", async () => {
  const { world, key } = await launched();
  const agent = world.agent(key);
  expect(await answered(agent.report([line("one")], 1))).toEqual({ acknowledged: 1, stop: false });
  expect(await answered(agent.report([line("one")], 1))).toEqual({ acknowledged: 1, stop: false });
  expect(await answered(agent.report([line("two")], 2))).toEqual({ acknowledged: 2, stop: false });
  expect(world.lines.map(({ message }) => message)).toEqual(["one", "two"]);
});

test("a report that runs ahead waits for the one that is missing", async () => {
  const { world, key } = await launched();
  const agent = world.agent(key);
  expect(await answered(agent.report([line("two")], 2))).toEqual({ acknowledged: 0, stop: false });
  expect(world.lines).toEqual([]);
});

test("however reports are repeated and shuffled, lines arrive once and in order", async () => {
  const { world, key } = await launched();
  const agent = world.agent(key);
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -3, max: 2 }), { maxLength: 12 }), async (offsets) => {
      for (const offset of offsets) {
        const sequence = Math.max(1, sent + offset);
        await agent.report([line(`${sequence}`)], sequence);
        if (sequence === sent + 1) sent++;
      }
      expect(world.lines.map(({ message }) => message)).toEqual(Array.from({ length: sent }, (_, at) => `${at + 1}`));
    }),
    { numRuns: 30 },
  );
});

test("a heartbeat is answered and stores nothing", async () => {
  const { world, key } = await launched();
  expect(await answered(world.agent(key).report([], 0))).toEqual({ acknowledged: 0, stop: false });
});

test("news wake the owner, lines and usage do not", async () => {
  const { world, key } = await launched();
  const wakeAt = async (): Promise<number | null | undefined> =>
    (await world.store.read.selectFrom("resources").select("wake_at").executeTakeFirst())?.wake_at;
  const before = await wakeAt();
  await world.agent(key).report([line("x"), { type: "usage", at: 1, cpuPercent: 1, memoryMegabytes: 1 }], 1);
  expect(await wakeAt()).toBe(before);
  await world.agent(key).report([{ type: "phase", at: 1, phase: "downloading" }], 2);
  expect(await wakeAt()).toBe(world.clock.now().getTime());
});

test("each instance is given its shard, as files of its own storage", async () => {
  const { world } = await launched(2);
  const keys = [...world.tasks.running.keys()].sort();
  const plans = await Promise.all(keys.map((key) => planAnswer(world.agent(key).request("GET", "plan"))));
  expect(plans).toMatchObject([
    {
      channels: [{ name: "train", mode: "File", objects: [{ path: "a", sizeBytes: 3 }, { path: "c" }] }],
      modelArchives: [],
    },
    { channels: [{ name: "train", objects: [{ path: "b", source: { file: expect.any(String) as string } }] }] },
  ]);
});

test("the plan stays the same when the objects change, and its bytes stay readable", async () => {
  const { world, key } = await launched();
  const before = await planAnswer(world.agent(key).request("GET", "plan"));
  await world.putObject("data/a", "something else");
  await world.putObject("data/d", "new");
  expect(await planAnswer(world.agent(key).request("GET", "plan"))).toEqual(before);
  const pins = await world.store.read.selectFrom("object_pins").selectAll().execute();
  const texts = await Promise.all(
    pins.map(async (pin) => bodyText(await world.agent(key).request("GET", `objects/${pin.blob_id}`))),
  );
  expect(texts).toContain("aaa");
});

test("several objects come with one request, in the order asked for, and only those of the plan", async () => {
  const { world, key } = await launched();
  const pins = await world.store.read.selectFrom("object_pins").select("blob_id").execute();
  const ids = pins.map((pin) => pin.blob_id).filter((id) => id !== "");
  const ask = (body: unknown) =>
    world.agent(key).request("POST", "objects", typeof body === "string" ? body : JSON.stringify(body));
  const alone = async (id: string) => bodyText(await world.agent(key).request("GET", `objects/${id}`));
  const wanted = [...ids, ids[0]!].reverse();
  const expected = (await Promise.all(wanted.map(alone))).join("");
  expect(ids.length).toBeGreaterThan(1);
  expect(await bodyText(await ask(wanted))).toBe(expected);
  expect((await ask([...wanted, "unknown"])).status).toBe(404);
  for (const nonsense of ["", "{", "{}", "[]", [1], Array.from({ length: 1_025 }, () => ids[0])])
    expect((await ask(nonsense)).status).toBe(400);
});

test("objects outside the plan are not given out", async () => {
  const { world, key } = await launched();
  await world.putObject("secret", "secret");
  const secret = await world.objects.head("000000000000", "bucket", "secret");
  expect((await world.agent(key).request("GET", `objects/${secret?.blobId}`)).status).toBe(404);
});

test("only the task's own token opens its route", async () => {
  const { world, key } = await launched();
  for (const path of ["plan", "credentials"])
    expect((await world.agent(key).request("GET", path, "", "wrong")).status).toBe(403);
  expect((await world.agent(key).request("POST", "reports", "{}", "")).status).toBe(403);
});

test("a task that nobody knows is told to go", async () => {
  const { world, key } = await launched();
  const agent = world.agent(key);
  await agent.report(runsThrough(0));
  await world.settle();
  expect((await agent.report([line("late")])).status).toBe(410);
  expect((await agent.request("PUT", "parts/model", "late")).status).toBe(410);
  expect((await world.agent("nobody").request("GET", "plan")).status).toBe(410);
});

test("credentials are a session of the job's role", async () => {
  const { world, key } = await launched();
  expect(await answered(world.agent(key).request("GET", "credentials"))).toEqual({
    AccessKeyId: "ASIAEXAMPLE",
    SecretAccessKey: "secret",
    Token: "token",
    Expiration: "2026-01-01T01:00:00.000Z",
  });
});

test("a part that is sent again replaces the one before, whose bytes become garbage", async () => {
  const { world, key } = await launched();
  await world.agent(key).request("PUT", "parts/model", gzipSync("first"));
  await world.agent(key).request("PUT", "parts/model", gzipSync("second"));
  expect(await world.store.read.selectFrom("object_garbage").selectAll().execute()).toHaveLength(1);
});

test.for(["", "{", "null", "{}", '{"sequence":-1,"events":[]}', '{"sequence":1,"events":[{"type":"end"}]}'])(
  "%s is no report",
  async (text) => {
    const { world, key } = await launched();
    expect((await world.agent(key).request("POST", "reports", text)).status).toBe(400);
  },
);

test("whatever JSON is sent as a report, reading it never throws", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      readReport(text);
    }),
  );
});

test("folding events never takes a phase back and keeps the first end", () => {
  const phase = fc.constantFrom("downloading", "running", "uploading", "exited");
  const event: fc.Arbitrary<TaskEvent> = fc.oneof(
    fc.record({ type: fc.constant("phase" as const), at: fc.nat(), phase }),
    fc.record({
      type: fc.constant("end" as const),
      at: fc.nat(),
      end: fc.record({ how: fc.constantFrom("exited", "stopped", "lost"), exitCode: fc.nat(3) }),
    }),
  );
  fc.assert(
    fc.property(fc.array(event), (events) => {
      let observed = nothingObserved;
      for (const one of events) {
        const next = observe(observed, [one]);
        expect(phaseRank(next.phase)).toBeGreaterThanOrEqual(phaseRank(observed.phase));
        if (observed.end) expect(next.end).toEqual(observed.end);
        observed = next;
      }
      // However the events are cut into reports.
      expect(observe(nothingObserved, events)).toEqual(observed);
    }),
  );
});

test("the sweeper removes what runs without a row, and rows without an owner", async () => {
  const { world, key } = await launched();
  await world.tasks.start({ ...world.tasks.spec(key), key: "orphan" });
  const [sweeper] = world.sagemaker.chores;
  await sweeper?.run(new AbortController().signal);
  expect([...world.tasks.running.keys()]).toEqual([key]);

  await world.store.write((tx) => tx.deleteFrom("resources").execute());
  await sweeper?.run(new AbortController().signal);
  expect([...world.tasks.running.keys()]).toEqual([]);
  expect(await world.store.read.selectFrom("tasks").selectAll().execute()).toEqual([]);
});
