// The life of a task as the server sees it, which every backend promises, the fake one too. Each backend's own test file calls this once.
import { describe, expect, test } from "vitest";
import type { TaskSpec } from "../../task/task.ts";
import type { ComputeBackend } from "../backend.ts";

export interface BackendUnderTest {
  readonly backend: ComputeBackend;
  /** A task that runs until it is stopped or `end` is called. */
  readonly task: (key: string) => TaskSpec;
  /** Lets the program of a started task end by itself. */
  readonly end: (key: string) => Promise<void>;
}

export const aTask = (key: string): TaskSpec => ({
  key,
  ownerUid: key,
  account: "000000000000",
  region: "us-west-2",
  purpose: "training",
  server: { url: "http://127.0.0.1:9", token: "token" },
  program: { kind: "command", argv: ["true"] },
  network: { host: "algo-1", addresses: { "algo-1": "127.99.1.1" }, isAlone: true },
  environment: {},
  configFiles: {},
  graceSeconds: 1,
});

export function describeComputeBackend(name: string, create: () => Promise<BackendUnderTest>): void {
  const stateOf = async (backend: ComputeBackend, key: string) => (await backend.inspect(key))?.state;
  const untilEnded = (backend: ComputeBackend, key: string) =>
    expect
      .poll(() => stateOf(backend, key), { timeout: 10_000, interval: 20 })
      .toSatisfy((state) => state === "ended" || state === undefined);

  describe(`${name} keeps the compute contract`, () => {
    test("starting a key twice yields one task", async () => {
      const { backend, task } = await create();
      await backend.start(task("twice"));
      await backend.start(task("twice"));
      expect(await Array.fromAsync(backend.list())).toEqual(["twice"]);
      await backend.remove("twice");
    });

    test("nobody minds a question about, or an order for, a task that is not there", async () => {
      const { backend } = await create();
      expect(await backend.inspect("nothing")).toBeUndefined();
      await backend.stop("nothing", 1);
      await backend.remove("nothing");
      expect(await backend.hasImage(["no-such-image:1", "No Image At All"])).toBe(false);
      expect(await Array.fromAsync(backend.list())).toEqual([]);
    });

    test("a started task is starting or alive until it ends, and known until it is removed", async () => {
      const { backend, task, end } = await create();
      await backend.start(task("life"));
      expect(["starting", "alive"]).toContain(await stateOf(backend, "life"));
      await end("life");
      await untilEnded(backend, "life");
      expect(await Array.fromAsync(backend.list())).toEqual(["life"]);
      await backend.remove("life");
      expect(await backend.inspect("life")).toBeUndefined();
      expect(await Array.fromAsync(backend.list())).toEqual([]);
    });

    test("a stopped task ends, however often it is asked to", async () => {
      const { backend, task } = await create();
      await backend.start(task("stopped"));
      await backend.stop("stopped", 1);
      await backend.stop("stopped", 1);
      await untilEnded(backend, "stopped");
      await backend.remove("stopped");
    });

    test("a removed task leaves no trace, even while it runs, and its key may be used again", async () => {
      const { backend, task } = await create();
      await backend.start(task("gone"));
      await backend.remove("gone");
      expect(await backend.inspect("gone")).toBeUndefined();
      await backend.start(task("gone"));
      expect(await Array.fromAsync(backend.list())).toEqual(["gone"]);
      await backend.remove("gone");
      await backend.remove("gone");
    });
  });
}
