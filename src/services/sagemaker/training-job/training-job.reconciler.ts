// Takes a training job from its row to its end: plan → capacity → one task per instance → follow → settle.
import { CapacityError, ImageError } from "../../../compute/backend.ts";
import type { Writer } from "../../../database/store.ts";
import { anyReconciler, lookAgain, next, settle, type AnyReconciler } from "../../../engine/reconciler.ts";
import { seconds } from "../../../lib/clock.ts";
import type { TaskSpec } from "../../../task/task.ts";
import { meterTraining } from "../cost/job-meters.ts";
import { rowKind } from "../../resource-definition.ts";
import { accessOf } from "../role-access.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import type { ObservedTask } from "../tasks/observed-task.ts";
import { observedOf, tasksOf } from "../tasks/task-rows.ts";
import { ArtifactError, checkOutput } from "./artifacts.ts";
import { InputDataError, planChannels } from "../channels/channel-planner.ts";
import { times, trainingJobEnd } from "./end-training-job.ts";
import { checkpointProblem } from "./checkpoints.ts";
import { walkWith, trainingStart } from "./job-progress.ts";
import type { Job, JobOutcome, JobStep, TrainingPlatform } from "./job-step.ts";
import { instanceCount, taskSpecs } from "./job-tasks.ts";
import { moveTo, say, walkOf } from "./secondary-status.ts";
import { hasWaitedTooLong, isSpot, isTakenBack } from "./spot.ts";
import { isSettled, trainingJob, type TrainingJobIntent, type TrainingJobStatus } from "./training-job.resource.ts";
import type { TrainingJobSpec } from "./training-job.resource.ts";
import { taskProgram, trainingProgram } from "./training-program.ts";
import { jobTaskKeys } from "../jobs/job-kind.ts";
import { neverFits } from "../jobs/job-instances.ts";
import { forgetTasks, launchTasks } from "../jobs/launch-tasks.ts";
import { savePlan } from "../jobs/plan-blob.ts";
import { keepOrRelease, poolAtEnd, poolInUse, poolKey, poolTakenOver, rest, tellFormerOwner } from "./warm-pool.ts";
import { watchTasks } from "../jobs/watch-tasks.ts";

/** As AWS gives a job that is asked to stop, so that it can save its model. */
const stopGraceSeconds = 120;
const capacityEveryMs = seconds(10);
const followEveryMs = seconds(2);

const failed = (job: Job, reason: string, at: Date): JobOutcome =>
  settle({
    TrainingJobStatus: "Failed",
    FailureReason: reason.slice(0, 1024),
    ...moveTo(job.status, "Failed", at),
    ...(job.status.TrainingStartTime ? { TrainingEndTime: at } : {}),
    ...poolAtEnd(job, { state: "Failed", reason }, at),
  });

const waitedTooLong = (job: Job, at: Date): JobOutcome =>
  settle({ TrainingJobStatus: "Stopped", ...moveTo(job.status, "MaxWaitTimeExceeded", at), ...times(job, at) });

const keysOf = ({ uid, spec, status }: Job): string[] => jobTaskKeys(uid, status.attempt, instanceCount(spec));

/** A stop before the launch of an attempt was saved: whatever a crashed pass may have started goes without a trace. */
function abandonWhenStopped({ store, compute, clock }: TrainingPlatform): JobStep {
  return async (job) => {
    if (!job.intent.stopRequestedAt || job.status.launchedAt) return next();
    for (const task of await tasksOf(store.read, job.uid)) await compute.remove(task.key);
    const now = clock.now();
    const stopping = moveTo(job.status, "Stopping", job.intent.stopRequestedAt);
    return settle({ TrainingJobStatus: "Stopped", ...moveTo(stopping, "Stopped", now), ...times(job, now) });
  };
}

/** Algorithm and hyperparameters as the container would check them; the text is the FailureReason. */
function problemOf({ algorithms, compute }: TrainingPlatform, spec: TrainingJobSpec): string | undefined {
  try {
    const program = trainingProgram(spec.AlgorithmSpecification, algorithms, compute);
    if (program.kind === "algorithm") program.algorithm.checkHyperparameters(spec.HyperParameters ?? {});
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.startsWith("ClientError:") ? message : `ClientError: ${message}`;
  }
}

/** Fixes, once and for all instances, which bytes the job reads. Saved before anything starts: agents ask for it at once. */
function plan(platform: TrainingPlatform): JobStep {
  const { objects, roles, clock } = platform;
  return async (job) => {
    if (job.status.planBlob !== undefined) return next();
    const problem = problemOf(platform, job.spec);
    if (problem !== undefined) return failed(job, problem, clock.now());
    try {
      const { account, region, name, spec } = job;
      const access = accessOf(roles, spec.RoleArn, region);
      await checkOutput({ name, outputPath: spec.OutputDataConfig.S3OutputPath, access });
      const { RoleArn: roleArn, CheckpointConfig } = spec;
      const unkept = await checkpointProblem({ roles }, CheckpointConfig, { roleArn, region });
      if (unkept !== undefined) return failed(job, unkept, clock.now());
      const scope = { objects, access, account, region, roleArn };
      const lines = planChannels(scope, job.spec.InputDataConfig ?? []);
      return lookAgain(0, { planBlob: await savePlan(platform, job.uid, lines) });
    } catch (error) {
      if (error instanceof InputDataError || error instanceof ArtifactError)
        return failed(job, error.message, clock.now());
      throw error;
    }
  };
}

/** All instances or none, first come first served; woken when others give theirs back. */
function waitForCapacity({ store, capacity, clock }: TrainingPlatform): JobStep {
  return async (job) => {
    if (job.status.launchedAt) return next();
    if (hasWaitedTooLong(job, clock.now())) return waitedTooLong(job, clock.now());
    const wanted = instanceCount(job.spec);
    if (wanted > capacity.limits.jobs) return failed(job, neverFits(wanted, capacity.limits.jobs), clock.now());
    const match = { key: poolKey(job), takenOver: tellFormerOwner(job, clock.now()) };
    const answer = await capacity.request(job.uid, { pool: "jobs", instances: wanted, match });
    if (answer.takenFrom !== undefined) return next(await poolTakenOver(store.read, answer.takenFrom));
    if (answer.isGranted) return next();
    const line = answer.ahead === 0 ? "next in line" : `${answer.ahead} jobs ahead in line`;
    const message = `Waiting for capacity: ${wanted} instances wanted, ${answer.limit - answer.used} of ${answer.limit} free, ${line}`;
    return lookAgain(capacityEveryMs, say(job.status, message));
  };
}

function launch(platform: TrainingPlatform): JobStep {
  const { algorithms, compute, clock, spot } = platform;
  const specsOf = async (job: Job, tasks: readonly TaskRow[]): Promise<TaskSpec[]> => {
    const program = trainingProgram(job.spec.AlgorithmSpecification, algorithms, compute);
    const identity = { ...job, arn: trainingJob.arn(job) };
    return taskSpecs(identity, tasks, await taskProgram(program, job, platform), platform);
  };
  return async (job) => {
    if (job.status.launchedAt) return next();
    const { uid, account, region } = job;
    try {
      await launchTasks(platform, { uid, account, region, keys: keysOf(job), specs: (tasks) => specsOf(job, tasks) });
    } catch (error) {
      if (error instanceof CapacityError) return lookAgain(capacityEveryMs, say(job.status, error.message));
      if (error instanceof ImageError) return failed(job, `ClientError: ${error.message}`, clock.now());
      throw error;
    }
    const { spotDiscountPercent = spot.discountPercent } = job.status;
    const paid = isSpot(job.spec) ? { spotDiscountPercent } : {};
    const begun =
      job.status.SecondaryStatus === "Interrupted" ? moveTo(job.status, "Starting", clock.now()) : job.status;
    const said = say(begun, "Preparing the instances for training");
    return next({ launchedAt: clock.now(), ...paid, ...poolInUse(job), ...said });
  };
}

/** When the job and this attempt of it began. */
function timesOf({ status }: Job, observed: readonly ObservedTask[]): Partial<TrainingJobStatus> {
  const begun = trainingStart(observed);
  const start = status.TrainingStartTime ?? begun;
  const attemptStartedAt = status.attemptStartedAt ?? begun;
  return { ...(start && { TrainingStartTime: start }), ...(attemptStartedAt && { attemptStartedAt }) };
}

/** What is known of the job now, from its wishes, its instances and the time. */
function statusNow(
  platform: TrainingPlatform,
  job: Job,
  observed: readonly ObservedTask[],
  now: Date,
): Partial<TrainingJobStatus> {
  const { stopRequestedAt } = job.intent;
  const { interruptedAt } = job.status;
  // First what Describe has shown since the request, then what the instances say.
  const shown = stopRequestedAt ? moveTo(job.status, "Stopping", stopRequestedAt) : job.status;
  const isInterrupted = Boolean(interruptedAt) || isTakenBack(platform, job, observed, now);
  return {
    // What instances do that are being taken back is no step of the job.
    ...(isInterrupted ? walkOf(shown) : walkWith(shown, observed, now)),
    ...timesOf(job, observed),
    ...(isInterrupted && { interruptedAt: interruptedAt ?? now }),
    ...(hasWaitedTooLong(job, now) && { waitExceededAt: job.status.waitExceededAt ?? now }),
    ...(stopRequestedAt && { TrainingJobStatus: "Stopping" as const }),
  };
}

const isEndWanted = ({ intent, status }: Job): boolean =>
  [intent.stopRequestedAt, status.waitExceededAt, status.interruptedAt].some(Boolean);

/** Tells how far the instances are; stops all of them when one has ended badly or the job should stop. */
function follow(platform: TrainingPlatform): JobStep {
  const end = trainingJobEnd(platform);
  return async (job) => {
    const keys = keysOf(job);
    const watched = { uid: job.uid, keys, isStopWanted: isEndWanted(job), stopGraceSeconds };
    const tasks = await watchTasks(platform, watched);
    if (tasks.length < instanceCount(job.spec)) throw new Error(`rows of the tasks of ${job.name} are missing`);
    const observed = tasks.map(observedOf);
    const status = statusNow(platform, job, observed, platform.clock.now());
    const known = { ...job, status: { ...job.status, ...status } };
    if (observed.every((task) => task.end)) return end(known, tasks);
    // What ends the instances is passed on at once.
    return lookAgain(isEndWanted(known) && !isEndWanted(job) ? 0 : followEveryMs, status);
  };
}

export function trainingJobReconciler(platform: TrainingPlatform): AnyReconciler {
  return anyReconciler<TrainingJobSpec, TrainingJobIntent, TrainingJobStatus>({
    kind: rowKind(trainingJob),
    steps: [
      rest(platform),
      abandonWhenStopped(platform),
      plan(platform),
      waitForCapacity(platform),
      launch(platform),
      follow(platform),
    ],
    stateOf: (status) => status.TrainingJobStatus,
    alsoSave: (tx, job) => {
      const { uid, status } = job;
      const leave = (writer: Writer): Promise<void> => keepOrRelease(writer, job);
      const now = platform.clock.now();
      const metered = meterTraining(job.spec, status, now);
      const attempt = { ...status, uid, isOver: isSettled(status), keys: keysOf(job), leave, metered };
      return forgetTasks(tx, attempt, now);
    },
  });
}
