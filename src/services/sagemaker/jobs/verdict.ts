// How a job ended, from how its instances ended.
import type { TaskEnd } from "../../../task/report.ts";

const maxReasonLength = 1024;

export type Verdict =
  | { readonly state: "Completed" }
  | { readonly state: "Stopped"; readonly secondary: "Stopped" | "MaxRuntimeExceeded" }
  | { readonly state: "Failed"; readonly reason: string };

/** An instance whose end ends the whole job: the others are stopped. */
export const endsJob = (end: TaskEnd): boolean => isFailure(end) || end.how === "timed-out" || end.how === "stopped";

export function isFailure(end: TaskEnd): boolean {
  switch (end.how) {
    case "exited":
      return end.exitCode !== 0;
    case "lost":
    case "setup-failed":
      return true;
    case "stopped":
    case "timed-out":
      return false;
  }
}

const signalNumbers: Readonly<Record<string, number>> = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** As a shell would say it: 128 and the signal's number. */
const exitCodeOf = (end: TaskEnd): number =>
  end.exitCode ?? (end.signal === undefined ? 1 : 128 + (signalNumbers[end.signal] ?? 0));

const hasKind = (text: string): boolean =>
  /^(ClientError|AlgorithmError|InternalServerError|CapacityError):/.test(text);

function reasonOf(end: TaskEnd): string {
  const failure = end.failure?.trim() ?? "";
  if (end.how === "lost") return "InternalServerError: The instance was lost. Please try again.";
  if (hasKind(failure)) return failure;
  if (end.how === "setup-failed") return `ClientError: ${failure || "The instance could not be set up."}`;
  return `AlgorithmError: ${failure}, exit code: ${exitCodeOf(end)}`;
}

/** Of the instance that failed first: the others may have failed because it did. */
function firstFailure(ends: readonly TaskEnd[]): TaskEnd | undefined {
  const failures = ends.filter(isFailure);
  const atOf = (end: TaskEnd): number => end.endedAt ?? Number.POSITIVE_INFINITY;
  return failures.reduce<TaskEnd | undefined>(
    (first, end) => (first === undefined || atOf(end) < atOf(first) ? end : first),
    undefined,
  );
}

export function verdictOf(ends: readonly TaskEnd[]): Verdict {
  const failure = firstFailure(ends);
  if (failure) return { state: "Failed", reason: reasonOf(failure).slice(0, maxReasonLength) };
  const problem = ends.find((end) => end.uploadProblem !== undefined)?.uploadProblem;
  if (problem !== undefined)
    return {
      state: "Failed",
      reason: `ClientError: Artifact upload failed: ${problem}`.slice(0, maxReasonLength),
    };
  if (ends.some((end) => end.how === "timed-out")) return { state: "Stopped", secondary: "MaxRuntimeExceeded" };
  if (ends.some((end) => end.how === "stopped")) return { state: "Stopped", secondary: "Stopped" };
  return { state: "Completed" };
}
