// Reads a report off the wire. Agents are ours, but a report is JSON from another process: nothing is believed unread.
import type { ModelMetric, ReportRequest, TaskEvent } from "../../../task/report.ts";
import { phases } from "./observed-task.ts";

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isAbsentOr = (check: (value: unknown) => boolean, value: unknown): boolean => value === undefined || check(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isLine = (value: unknown): boolean => isFields(value) && isNumber(value["at"]) && isText(value["text"]);

const ends: readonly unknown[] = ["exited", "stopped", "timed-out", "lost", "setup-failed"];

const modelMetrics: readonly unknown[] = [
  "ModelLoadingWaitTime",
  "ModelUnloadingTime",
  "ModelDownloadingTime",
  "ModelLoadingTime",
  "ModelCacheHit",
  "LoadedModelCount",
] satisfies ModelMetric["name"][];

const isEnd = (value: unknown): boolean =>
  isFields(value) &&
  ends.includes(value["how"]) &&
  ["exitCode", "startedAt", "endedAt"].every((name) => isAbsentOr(isNumber, value[name])) &&
  ["signal", "failure", "message", "uploadProblem"].every((name) => isAbsentOr(isText, value[name])) &&
  ["modelFiles", "outputFiles"].every((name) => isAbsentOr(isTexts, value[name]));

const checks: ReadonlyMap<unknown, (event: Fields) => boolean> = new Map([
  [
    "phase",
    ({ at, phase, message }) =>
      isNumber(at) && (phases as readonly unknown[]).includes(phase) && isAbsentOr(isText, message),
  ],
  ["output", ({ lines }) => Array.isArray(lines) && lines.every(isLine)],
  [
    "usage",
    ({ at, cpuPercent, memoryMegabytes, memoryPercent, diskPercent, gpuPercent, gpuMemoryPercent }) =>
      [at, cpuPercent, memoryMegabytes].every(isNumber) &&
      [memoryPercent, diskPercent, gpuPercent, gpuMemoryPercent].every((value) => isAbsentOr(isNumber, value)),
  ],
  [
    "models",
    ({ at, metrics }) =>
      isNumber(at) &&
      Array.isArray(metrics) &&
      metrics.every((each) => isFields(each) && modelMetrics.includes(each["name"]) && isNumber(each["value"])),
  ],
  ["serving", ({ at, ready, address }) => isNumber(at) && typeof ready === "boolean" && isText(address)],
  ["end", ({ at, end }) => isNumber(at) && isEnd(end)],
]);

const isEvent = (value: unknown): value is TaskEvent => isFields(value) && checks.get(value["type"])?.(value) === true;

/** Undefined when the text is no report. */
export function readReport(text: string): ReportRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isFields(value)) return undefined;
  const { sequence, events } = value;
  if (!isNumber(sequence) || !Number.isInteger(sequence) || sequence < 0) return undefined;
  if (!Array.isArray(events) || !events.every(isEvent)) return undefined;
  return { sequence, events };
}
