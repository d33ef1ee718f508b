// Instance metrics as SageMaker names them in CloudWatch: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
import { totalmem } from "node:os";
import type { TaskEvent, UsageEvent } from "../../../task/report.ts";
import type { MetricData } from "../../cloudwatch/index.ts";

/** An older agent does not say it: it goes on through an update of the server. */
const memoryPercentOf = ({ memoryPercent, memoryMegabytes }: UsageEvent): number =>
  memoryPercent ?? (memoryMegabytes * 1_048_576 * 100) / totalmem();

const metrics: Readonly<Record<string, (usage: UsageEvent) => number | undefined>> = {
  CPUUtilization: ({ cpuPercent }) => cpuPercent,
  MemoryUtilization: memoryPercentOf,
  DiskUtilization: ({ diskPercent }) => diskPercent,
  GPUUtilization: ({ gpuPercent }) => gpuPercent,
  GPUMemoryUtilization: ({ gpuMemoryPercent }) => gpuMemoryPercent,
};

/** Of the usage among a report's events; what an instance has not (GPUs) has no metric. */
export function usageMetrics(events: readonly TaskEvent[], dimensions: Readonly<Record<string, string>>): MetricData[] {
  return events.flatMap((event) => {
    if (event.type !== "usage") return [];
    return Object.entries(metrics).flatMap(([name, read]) => {
      const value = read(event);
      return value === undefined ? [] : [{ name, value, dimensions, unit: "Percent", timestamp: event.at }];
    });
  });
}
