import { totalmem } from "node:os";
import { expect, test } from "vitest";
import type { UsageEvent } from "../../../task/report.ts";
import { readReport } from "./report-reader.ts";
import { usageMetrics } from "./usage-metrics.ts";

const usage: UsageEvent = { type: "usage", at: 5, cpuPercent: 150, memoryMegabytes: totalmem() / 2 ** 21 };
const all: UsageEvent = { ...usage, diskPercent: 3, gpuPercent: 199, gpuMemoryPercent: 40 };

test("instance metrics have SageMaker's names, and only what the instance has", () => {
  const named = (event: UsageEvent): object =>
    Object.fromEntries(usageMetrics([event], { Host: "job/algo-1" }).map(({ name, value }) => [name, value]));
  expect(named(usage)).toEqual({ CPUUtilization: 150, MemoryUtilization: 50 });
  expect(named(all)).toEqual({
    CPUUtilization: 150,
    MemoryUtilization: 50,
    DiskUtilization: 3,
    GPUUtilization: 199,
    GPUMemoryUtilization: 40,
  });
  expect(usageMetrics([usage], { Host: "job/algo-1" })[0]).toEqual({
    name: "CPUUtilization",
    value: 150,
    dimensions: { Host: "job/algo-1" },
    unit: "Percent",
    timestamp: 5,
  });
});

test("a report's usage is read with and without disk and GPUs, and refused where they are no numbers", () => {
  const read = (event: object) => readReport(JSON.stringify({ sequence: 1, events: [event] }));
  expect(read(usage)?.events).toEqual([usage]);
  expect(read(all)?.events).toEqual([all]);
  expect(read({ ...all, gpuPercent: "199" })).toBeUndefined();
});
