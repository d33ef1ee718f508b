// The last step of a job: every instance has ended. Restart it, or settle.
import { lookAgain, settle } from "../../../engine/reconciler.ts";
import type { TaskEnd } from "../../../task/report.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import { endsOf, observedOf } from "../tasks/task-rows.ts";
import type { Job, JobOutcome, JobPlatform } from "./job-kind.ts";
import { verdictOf } from "./verdict.ts";

/** Before any program ran, an instance may be lost once: nothing has happened yet. */
const freeRestarts = 1;

function mayRestart<Spec>(job: Job<Spec>, tasks: readonly TaskRow[]): boolean {
  if (job.intent.stopRequestedAt || job.status.attempt >= freeRestarts) return false;
  const hasRun = tasks.some((task) => observedOf(task).phaseStarts.running !== undefined);
  const ends = endsOf(tasks);
  return !hasRun && ends.some(({ how }) => how === "lost") && !ends.some(({ how }) => how === "setup-failed");
}

const longestMessage = 1_024;

/** Of all instances, behind each other (developer guide, "Save and Access Metadata Information About Your Processing Job"). */
function messageOf(ends: readonly TaskEnd[]): string | undefined {
  const messages = ends.flatMap(({ message }) => (message === undefined ? [] : [message]));
  return messages.length === 0 ? undefined : Array.from(messages.join("")).slice(0, longestMessage).join("");
}

/** Everything before the outcome is saved can be repeated. */
export async function endOfJob<Spec>(
  { compute, clock }: JobPlatform,
  job: Job<Spec>,
  tasks: readonly TaskRow[],
): Promise<JobOutcome> {
  for (const task of tasks) await compute.remove(task.key);
  if (mayRestart(job, tasks)) return lookAgain(0, { ...job.status, attempt: job.status.attempt + 1, launchedAt: null });
  const ends = endsOf(tasks);
  const verdict = verdictOf(ends);
  const exitMessage = messageOf(ends);
  return settle({
    ...job.status,
    state: verdict.state,
    endedAt: clock.now(),
    ...(verdict.state === "Failed" ? { failureReason: verdict.reason } : {}),
    ...(verdict.state === "Stopped" && verdict.secondary === "MaxRuntimeExceeded"
      ? { failureReason: "ClientError: The job ran longer than MaxRuntimeInSeconds." }
      : {}),
    ...(exitMessage === undefined ? {} : { exitMessage }),
  });
}
