// How busy this machine's NVIDIA GPUs are, as nvidia-smi tells it. As for CPUs, several add up: two busy ones are 200 percent.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Log } from "../lib/log.ts";

export interface GpuUsage {
  readonly gpuPercent: number;
  readonly gpuMemoryPercent: number;
}

const query = ["--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits"];
const withinMs = 5_000;

/** Lines of "percent, used, total"; undefined where none has numbers ("[N/A]" of a GPU that is shared out). */
export function parseGpuUsage(text: string): GpuUsage | undefined {
  const gpus = text
    .split("\n")
    .map((line) => line.split(",").map((field) => Number.parseFloat(field)))
    .filter((fields) => fields.length === 3 && fields.every(Number.isFinite) && (fields[2] ?? 0) > 0);
  if (gpus.length === 0) return undefined;
  const sum = (of: (fields: number[]) => number): number => gpus.reduce((total, fields) => total + of(fields), 0);
  return {
    gpuPercent: sum(([busy = 0]) => busy),
    gpuMemoryPercent: sum(([, used = 0, total = 1]) => (used / total) * 100),
  };
}

/** Asks each time it is called; after one failure it does no more: there is no GPU, or no driver. */
export function gpuProbe(log: Log, command = "nvidia-smi"): () => Promise<GpuUsage | undefined> {
  let isThere = true;
  return async () => {
    if (!isThere) return undefined;
    try {
      const { stdout } = await promisify(execFile)(command, query, { timeout: withinMs });
      return parseGpuUsage(stdout);
    } catch (error) {
      isThere = false;
      log.debug("no usage of GPUs", { error });
      return undefined;
    }
  };
}
