import { expect, test } from "vitest";
import type { ModelMetric } from "../../task/report.ts";
import { ModelCache, modelName, ModelLoadError, NoRoomError, type ModelCacheOptions } from "./model-cache.ts";

const mebibyte = 2 ** 20;

/** A container that holds `mostLoaded` models, and a disk where each model takes a mebibyte. */
function setUp(options: Partial<ModelCacheOptions> & { mostLoaded?: number; found?: readonly string[] } = {}) {
  const { mostLoaded = Infinity, found = [], ...more } = options;
  const loaded = new Set<string>(found.map(modelName));
  const disk = new Map<string, number>(found.map((target) => [modelName(target), mebibyte]));
  const calls: string[] = [];
  const metrics: ModelMetric[] = [];
  const titles = new Map<string, string>();
  const gate: { wait: Promise<void> | undefined } = { wait: undefined };
  const cache = new ModelCache({
    container: {
      load: async (name) => {
        calls.push(`load ${titles.get(name)}`);
        if (titles.get(name) === "bad") return { status: 500, text: "it does not load" };
        if (loaded.has(name)) return { status: 409, text: "" };
        if (loaded.size >= mostLoaded) return { status: 507, text: "no memory" };
        loaded.add(name);
        return { status: 200, text: "" };
      },
      unload: async (name) => {
        calls.push(`unload ${titles.get(name)}`);
        loaded.delete(name);
      },
      loaded: async () => [...loaded],
    },
    store: {
      present: async () => new Map(disk),
      bring: async (name, target, mostBytes) => {
        titles.set(name, target);
        await gate.wait;
        if (target === "missing") throw new Error("no such model");
        if (mostBytes < mebibyte) throw new NoRoomError("too large");
        calls.push(`bring ${target}`);
        disk.set(name, mebibyte);
        return mebibyte;
      },
      remove: async (name) => {
        calls.push(`remove ${titles.get(name)}`);
        disk.delete(name);
      },
    },
    clock: { monotonicMs: () => 0 },
    mostBytes: Infinity,
    keepsLoaded: true,
    onMetric: (name, value) => metrics.push({ name, value }),
    ...more,
  });
  const use = async (...targets: string[]): Promise<void> => {
    for (const target of targets) (await cache.hold(target)).release();
  };
  return { cache, calls, metrics, use, gate, loaded };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

test("a model is fetched and loaded once, however many ask for it at once", async () => {
  const { cache, calls } = setUp();
  const held = await Promise.all(Array.from({ length: 20 }, () => cache.hold("a")));
  expect(new Set(held.map(({ name }) => name))).toEqual(new Set([modelName("a")]));
  expect(calls).toEqual(["bring a", "load a"]);
});

test("without memory the least recently used model goes, and its files stay", async () => {
  const { calls, use } = setUp({ mostLoaded: 2 });
  await use("a", "b", "a", "c", "b");
  expect(calls).toEqual([
    "bring a",
    "load a",
    "bring b",
    "load b",
    "bring c",
    "load c",
    "unload b",
    "load c",
    "load b",
    "unload a",
    "load b",
  ]);
});

test("a model that is in use is not unloaded: the container's refusal is told", async () => {
  const { cache, use } = setUp({ mostLoaded: 1 });
  const held = await cache.hold("a");
  await expect(cache.hold("b")).rejects.toMatchObject({ status: 507 });
  held.release();
  await use("b");
});

test("without room on the disk the least recently used model is unloaded and removed", async () => {
  const { calls, use, cache } = setUp({ mostBytes: 2 * mebibyte });
  await use("a", "b", "a", "c");
  expect(calls.slice(-4)).toEqual(["unload b", "remove b", "bring c", "load c"]);
  expect(cache.loadedCount).toBe(2);
});

test("a model larger than the volume is refused", async () => {
  const { use } = setUp({ mostBytes: mebibyte - 1 });
  await expect(use("a")).rejects.toBeInstanceOf(NoRoomError);
});

test("a model that cannot be fetched or loaded is tried again by the next invocation", async () => {
  const { use, calls } = setUp();
  await expect(use("missing")).rejects.toThrow("no such model");
  await expect(use("bad")).rejects.toBeInstanceOf(ModelLoadError);
  await expect(use("bad")).rejects.toThrow("it does not load");
  expect(calls).toEqual(["bring bad", "load bad", "load bad"]);
  await use("a");
});

test("an agent that was started again finds what is loaded", async () => {
  const { use, calls, cache } = setUp({ found: ["a", "b"] });
  await use("a");
  expect(calls).toEqual([]);
  expect(cache.loadedCount).toBe(2);
});

test("with the cache disabled a model is unloaded after its last use, and not before", async () => {
  const { cache, calls } = setUp({ keepsLoaded: false });
  const [one, two] = [await cache.hold("a"), await cache.hold("a")];
  one.release();
  await settled();
  expect(calls).toEqual(["bring a", "load a"]);
  two.release();
  await settled();
  expect(calls).toEqual(["bring a", "load a", "unload a"]);
});

test("a container that forgot a model is given it again", async () => {
  const { cache, calls, use, loaded } = setUp();
  await use("a");
  loaded.clear();
  cache.forget(modelName("a"));
  await use("a");
  expect(calls).toEqual(["bring a", "load a", "load a"]);
});

test("hits, waits, downloads, loads and unloads are measured", async () => {
  const { use, metrics } = setUp({ mostLoaded: 1 });
  await use("a", "a", "b");
  const count = (name: string) => metrics.filter((metric) => metric.name === name).length;
  expect(metrics.filter(({ name }) => name === "ModelCacheHit").map(({ value }) => value)).toEqual([0, 1, 0]);
  expect(["ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime", "ModelUnloadingTime"].map(count)).toEqual(
    [2, 2, 2, 1],
  );
});
