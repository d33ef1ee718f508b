import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { systemClock } from "../../../lib/clock.ts";
import { silentLog, type Log, type LogFields } from "../../../lib/log.ts";
import type { MetricDefinition } from "../../../models/generated/sagemaker.ts";
import { checkMetricDefinitions, metricsInLines, thinned } from "./log-metrics.ts";

const definition = (Regex: string, Name = "loss"): MetricDefinition => ({ Name, Regex });
const linesOf = (...texts: readonly string[]) => texts.map((text, at) => ({ at, text }));

const found = async (definitions: readonly MetricDefinition[], ...texts: readonly string[]) =>
  metricsInLines(definitions, linesOf(...texts), new FakeClock(), silentLog);

const valuesOf = async (regex: string, ...texts: readonly string[]) =>
  (await found([definition(regex)], ...texts)).map(({ value }) => value);

function warnings(): { readonly log: Log; readonly seen: LogFields[] } {
  const seen: LogFields[] = [];
  const log: Log = { ...silentLog, warn: (message, fields) => void seen.push({ message, ...fields }), with: () => log };
  return { log, seen };
}

test("the first group of a line is a value, in the order of the lines, whichever definition finds it", async () => {
  const definitions = [definition("loss=([0-9.]+)"), definition("acc(?:uracy)?=(\\S+)", "accuracy")];
  expect(await found(definitions, "loss=0.5 acc=0.1", "nothing", "accuracy=0.75", "loss=0.25")).toEqual([
    { name: "loss", value: 0.5, at: 0 },
    { name: "accuracy", value: 0.1, at: 0 },
    { name: "accuracy", value: 0.75, at: 2 },
    { name: "loss", value: 0.25, at: 3 },
  ]);
});

test.for([
  ["loss=(.*)", "loss=1e-3", [0.001]],
  ["loss=(.*)", "loss=-.5, more", [-0.5]],
  ["loss=(.*)", "loss=nan", []],
  ["loss=(.*)", "loss=Infinity", []],
  ["loss=(.*)", "loss=1e999", []],
  ["loss=(.*)", "loss=", []],
  ["loss=[0-9]+", "loss=1", []],
  ["(?:a=(\\d))?b=(\\d)", "b=2", []],
] as const)("%s finds in %s the values %j", async ([regex, line, values]) => {
  expect(await valuesOf(regex, line)).toEqual(values);
});

test("#011 in a pattern is a TAB, also in a set of characters, and itself", async () => {
  const xgboost = String.raw`.*\[[0-9]+\].*#011validation-auc:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*`;
  const line = "[12]\ttrain-auc:0.99\tvalidation-auc:0.875";
  expect(await valuesOf(xgboost, line, line.replaceAll("\t", "#011"), line.replaceAll("\t", " "))).toEqual([
    0.875, 0.875,
  ]);
  expect(await valuesOf("x[#011]+(\\d\\d)", "x\t55")).toEqual([55]);
  expect(await valuesOf("\\tauc:(\\S+)", "[1]\tauc:0.5")).toEqual([0.5]);
});

test.for(["(", "(?=loss)(.*)", String.raw`(a)\1`, "a{1001}(b)", "(?<!x)loss=(.*)", "(.{0,1000}.{0,1000})b"])(
  "%s is refused by the name of its metric",
  async (regex) => {
    await expect(checkMetricDefinitions([definition("fine (.*)", "fine"), definition(regex)])).rejects.toMatchObject({
      code: "ValidationException",
      message: expect.stringContaining('metric definition "loss" cannot be used') as string,
    });
  },
);

test("every pattern is taken or refused in words", async () => {
  const piece = fc.constantFrom(
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "9",
    "*",
    "+",
    "?",
    "|",
    "\\",
    "p",
    "L",
    "^",
    "$",
    "a",
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: fc.oneof(piece, fc.string()), maxLength: 60 }), async (regex) => {
      const problem = await checkMetricDefinitions([definition(regex)]).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(problem === undefined || (problem as { code?: string }).code === "ValidationException").toBe(true);
    }),
  );
});

test("10,000 lines against 40 ordinary definitions are soon read", async () => {
  const line = (at: number): string =>
    `INFO epoch ${at} batch ${at} metric-${at % 40}: 0.5 rate=0.001 and some more words`;
  const lines = linesOf(...Array.from({ length: 10_000 }, (_, at) => line(at)));
  const definitions = Array.from({ length: 40 }, (_, at) => definition(`.*metric-${at}: ([0-9.]+)`, `m${at}`));
  const startedAt = systemClock.threadCpuMs();
  expect(await metricsInLines(definitions, lines, systemClock, silentLog)).toHaveLength(10_000);
  expect(systemClock.threadCpuMs() - startedAt).toBeLessThan(5_000);
});

test("hostile patterns over long lines hold nobody up, end in time, and take nothing from the others", async () => {
  // As slow as may be: no text that a match must contain, and more states than a table holds.
  const slow = (at: number): string => `([ab].{0,${230 - at}}[ab].{0,230}[xy])`;
  const hostile = Array.from({ length: 9 }, (_, at) => definition(slow(at), `bad${at}`));
  await checkMetricDefinitions(hostile);
  const text = Array.from({ length: 250_000 }, (_, at) => (((at * at) >> 3) % 2 === 0 ? "a" : "b")).join("");
  const lines = [...linesOf(...Array.from({ length: 50 }, () => text)), { at: 99, text: "loss=2" }];
  const { log, seen } = warnings();
  let longestMs = 0;
  const done = new AbortController();
  const watch = async (): Promise<void> => {
    for (let before = performance.now(); !done.signal.aborted;) {
      await turnOfTheLoop();
      const now = performance.now();
      longestMs = Math.max(longestMs, now - before);
      before = now;
    }
  };
  const watching = watch();
  const startedAt = systemClock.threadCpuMs();
  const points = await metricsInLines([...hostile, definition("loss=(.*)")], lines, systemClock, log);
  done.abort();
  await watching;
  expect(points).toEqual([{ name: "loss", value: 2, at: 99 }]);
  expect(systemClock.threadCpuMs() - startedAt).toBeLessThan(12_000);
  expect(longestMs).toBeLessThan(1_000);
  expect(seen.map(({ metric }) => metric)).toEqual(hostile.map(({ Name }) => Name));
}, 30_000);

test("a definition that used its share up misses the rest of the lines, and the log says so", async () => {
  class SlowClock extends FakeClock {
    #ms = 0;
    override monotonicMs(): number {
      return (this.#ms += 100);
    }
  }
  const { log, seen } = warnings();
  const definitions = [definition("loss=(.*)"), definition("acc=(.*)", "acc")];
  const texts = Array.from({ length: 20 }, () => "loss=1 acc=2");
  const points = await metricsInLines(definitions, linesOf(...texts), new SlowClock(), log);
  expect(new Set(points.map(({ name }) => name))).toEqual(new Set(["loss", "acc"]));
  expect(points.length).toBeLessThan(40);
  expect(seen.map(({ metric }) => metric)).toEqual(["loss", "acc"]);
});

test("a machine that is busy with others takes nothing from a definition", async () => {
  /** A hundred times as much time passes as this thread gets of the processor. */
  class BusyClock extends FakeClock {
    #ms = 0;
    override monotonicMs(): number {
      return (this.#ms += 100);
    }
    override threadCpuMs(): number {
      return this.#ms / 100;
    }
  }
  const { log, seen } = warnings();
  const definitions = [definition("loss=(.*)"), definition("acc=(.*)", "acc")];
  const texts = Array.from({ length: 200 }, () => "loss=1 acc=2");
  expect(await metricsInLines(definitions, linesOf(...texts), new BusyClock(), log)).toHaveLength(400);
  expect(seen).toEqual([]);
});

test("a pause of the machine costs no definition its lines: it gets what others leave", async () => {
  class PausedClock extends FakeClock {
    #calls = 0;
    override monotonicMs(): number {
      this.#calls++;
      return this.#calls < 5 ? 0 : 500;
    }
  }
  const { log, seen } = warnings();
  const definitions = Array.from({ length: 40 }, (_, at) => definition("loss=(.*)", `m${at}`));
  const points = await metricsInLines(definitions, linesOf("loss=1", "loss=2", "loss=3"), new PausedClock(), log);
  expect(points).toHaveLength(120);
  expect(points.slice(0, 2)).toMatchObject([
    { name: "m0", value: 1 },
    { name: "m1", value: 1 },
  ]);
  expect(seen).toEqual([]);
});

test("a stored pattern that cannot be used any more is passed over, and the log says so", async () => {
  const { log, seen } = warnings();
  const definitions = [definition("(?=x)", "old"), definition("loss=(.*)")];
  expect(await metricsInLines(definitions, linesOf("loss=1"), new FakeClock(), log)).toHaveLength(1);
  expect(seen).toMatchObject([{ message: "a metric's pattern cannot be used", metric: "old" }]);
});

test("of too many values each metric keeps its last ones, and the rare ones all of theirs", () => {
  const often = (name: string) => Array.from({ length: 100 }, (_, value) => ({ name, value, at: value }));
  const points = [...often("a"), { name: "rare", value: 7, at: 0 }, ...often("b")];
  const kept = thinned(points, 41);
  const valuesBy = (wanted: string) => kept.filter(({ name }) => name === wanted).map(({ value }) => value);
  expect(kept).toHaveLength(41);
  expect(valuesBy("rare")).toEqual([7]);
  expect(valuesBy("a")).toEqual(Array.from({ length: 20 }, (_, at) => 80 + at));
  expect(thinned(points, 201)).toBe(points);
});
