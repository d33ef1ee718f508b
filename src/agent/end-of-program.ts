// How a task ended, from how its program did and why it was told to.
import { volumeText } from "./disk-use.ts";
import type { TaskEnd } from "../task/report.ts";
import type { TaskSpec } from "../task/task.ts";
import type { ProgramExit } from "./runners/runner.ts";
import type { AgentState } from "./task-state.ts";

/** A model must answer /ping with 200 within this time of its start. */
export const readyWithinSeconds = 240;

type Reason = { readonly exitCode: number; readonly failure?: string };

export function endOfExit(
  exit: ProgramExit,
  startedAt: number,
  { stop, transform, pipeProblem }: Pick<AgentState, "stop" | "transform" | "pipeProblem">,
  spec: Pick<TaskSpec, "purpose" | "diskBytes">,
): TaskEnd {
  const { exitCode, endedAt } = exit;
  const plain = { how: "exited", exitCode, ...signalOf(exit), startedAt, endedAt } as const;
  const why = stop?.why;
  if (exit.neverRan !== undefined && why === undefined) return { how: "setup-failed", failure: exit.neverRan, endedAt };
  if (why === undefined) return { ...plain, ...(spec.purpose === "transform" ? leftEarly(exit) : ownFailure(exit)) };
  if (why === "stopped" || why === "timed-out") return { ...plain, how: why };
  if (why === "finished") return { ...plain, exitCode: transform?.problem === undefined ? 0 : 1 };
  const reasons = {
    "not-ready": `The model did not answer /ping within ${readyWithinSeconds} seconds of its start.`,
    "disk-full": volumeIsFull(spec.diskBytes),
    "no-data": pipeProblem ?? "",
  };
  return { ...plain, ...failedBy(exit, reasons[why]) };
}

const signalOf = ({ signal }: ProgramExit): { readonly signal?: string } => (signal === undefined ? {} : { signal });

/** One that ended well because it was told to end has failed all the same. */
const failedBy = ({ exitCode }: ProgramExit, failure: string): Reason => ({ exitCode: exitCode || 1, failure });

const ownFailure = ({ failure }: ProgramExit): { readonly failure?: string } =>
  failure === undefined ? {} : { failure };

/** A model that leaves before its work is done has failed, whatever it says. */
const leftEarly = (exit: ProgramExit): Reason =>
  failedBy(
    exit,
    exit.failure ??
      `ClientError: The model's container ended with exit code ${exit.exitCode} before its data was transformed. Its log says why.`,
  );

const volumeIsFull = (diskBytes = 0): string =>
  `ClientError: The files and the output of the job took more than its volume of ${volumeText(diskBytes)}. Please use a larger VolumeSizeInGB.`;
