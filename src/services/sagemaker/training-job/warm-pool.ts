// Warm pools: the instances of a job that has ended stay for the next one of the same sort (developer guide, "Train Using SageMaker
// Managed Warm Pools"). What is kept is the place in the line: here an instance starts in a fraction of a second anyway.
import { createHash } from "node:crypto";
import { findResourceByUid, changeResource } from "../../../database/resources.ts";
import type { Reader, Writer } from "../../../database/store.ts";
import { holdsCapacity, releaseCapacity, retainCapacity, type TakenOver } from "../../../engine/capacity.ts";
import { lookAgain, next, settle } from "../../../engine/reconciler.ts";
import { isRetained, secondsBetween, visiblePool } from "./visible-pool.ts";
import { validationError } from "../../../lib/aws-error.ts";
import { pack, unpack } from "../../../lib/stored-json.ts";
import type { CreateTrainingJobRequest, WarmPoolStatus } from "../../../models/generated/sagemaker.ts";
import type { Verdict } from "../jobs/verdict.ts";
import type { Job, JobOutcome, JobStep, TrainingPlatform } from "./job-step.ts";
import {
  isSettled,
  type TrainingJobIntent,
  type TrainingJobSpec,
  type TrainingJobStatus,
} from "./training-job.resource.ts";

/** A cluster lives no longer, from job to job: seven days, as on AWS. */
const longestSeconds = 7 * 86_400;

const keepAliveSeconds = (spec: TrainingJobSpec): number => spec.ResourceConfig?.KeepAlivePeriodInSeconds ?? 0;

/** Throws for what has no pool on AWS either. */
export function checkWarmPool(job: CreateTrainingJobRequest): void {
  if (keepAliveSeconds(job) > 0 && job.EnableManagedSpotTraining === true)
    throw validationError("KeepAlivePeriodInSeconds cannot be used when EnableManagedSpotTraining is set to true.");
}

/** Equal for jobs that may have each other's instances: the values that AWS names. */
export function poolKey({ account, region, spec }: Pick<Job, "account" | "region" | "spec">): string {
  const { InstanceCount, InstanceType, VolumeKmsKeyId, VolumeSizeInGB } = spec.ResourceConfig ?? {};
  const { SecurityGroupIds = [], Subnets = [] } = spec.VpcConfig ?? {};
  const values = [
    [account, region, spec.RoleArn, InstanceCount, InstanceType, VolumeKmsKeyId ?? "", VolumeSizeInGB],
    [SecurityGroupIds, Subnets],
    [spec.EnableInterContainerTrafficEncryption === true, spec.EnableNetworkIsolation === true],
  ];
  return createHash("sha256").update(JSON.stringify(values)).digest("base64url");
}

const inUse: WarmPoolStatus = { Status: "InUse" };

/** Of a job that begins to run. */
export const poolInUse = ({ spec }: Job): Partial<TrainingJobStatus> =>
  keepAliveSeconds(spec) > 0 ? { WarmPoolStatus: inUse } : {};

/** Of a job that runs on the instances of another: they are as old as they were. */
export async function poolTakenOver(reader: Reader, formerUid: string): Promise<Partial<TrainingJobStatus>> {
  const row = await findResourceByUid(reader, formerUid);
  const { poolStartedAt } = (row ? unpack(row.status) : {}) as Partial<TrainingJobStatus>;
  return { WarmPoolStatus: inUse, ...(poolStartedAt && { poolStartedAt }) };
}

/** Instances that were lost or never came up are no pool. */
const isHealthy = (verdict: Verdict): boolean =>
  verdict.state !== "Failed" || /^(AlgorithmError|ClientError):/.test(verdict.reason);

const none: WarmPoolStatus = { Status: "Terminated", ResourceRetainedBillableTimeInSeconds: 0 };

/** Of a job that has ended. */
export function poolAtEnd({ spec, status }: Job, verdict: Verdict, at: Date): Partial<TrainingJobStatus> {
  if (!status.WarmPoolStatus) return {};
  const poolStartedAt = status.poolStartedAt ?? status.TrainingStartTime ?? at;
  const isTooOld = at.getTime() >= poolStartedAt.getTime() + longestSeconds * 1_000;
  if (keepAliveSeconds(spec) === 0 || isTooOld || !isHealthy(verdict)) return { WarmPoolStatus: none };
  return { WarmPoolStatus: { Status: "Available" }, retainedAt: at, poolStartedAt };
}

/** The whole of a job that has ended: with a pool it waits for who takes it, for those who need the room, or for its time to be over. */
export function rest({ store, clock }: Pick<TrainingPlatform, "store" | "clock">): JobStep {
  return async (job): Promise<JobOutcome> => {
    if (!isSettled(job.status)) return next();
    if (!isRetained(job.status)) return settle();
    const reused = visiblePool(job.status, job.intent);
    if (reused?.Status === "Reused") return settle({ WarmPoolStatus: reused });
    const now = clock.now();
    const since = job.status.retainedAt ?? now;
    const oldest = (job.status.poolStartedAt ?? since).getTime() + longestSeconds * 1_000;
    const until = Math.min(since.getTime() + keepAliveSeconds(job.spec) * 1_000, oldest);
    if (now.getTime() < until && (await holdsCapacity(store.read, job.uid))) return lookAgain(until - now.getTime());
    // Nobody pays for the time until this is noticed.
    const endedAt = new Date(Math.min(now.getTime(), until));
    const ResourceRetainedBillableTimeInSeconds = secondsBetween(since, endedAt);
    return settle({ WarmPoolStatus: { Status: "Terminated", ResourceRetainedBillableTimeInSeconds } });
  };
}

/** Part of the transaction that saves an outcome of a job that has ended. */
export async function keepOrRelease(tx: Writer, job: Job): Promise<void> {
  if (isRetained(job.status)) await retainCapacity(tx, job.uid, poolKey(job));
  else await releaseCapacity(tx, job.uid);
}

/** Part of the transaction that hands the instances over: the job that had them learns who has them now. */
export const tellFormerOwner =
  (taker: Job, now: Date): TakenOver =>
  async (tx, formerUid) => {
    const row = await findResourceByUid(tx, formerUid);
    if (!row) return;
    const intent = { ...(unpack(row.intent) as TrainingJobIntent), reusedBy: taker.name, reusedAt: now };
    await changeResource(tx, formerUid, { intent: pack(intent), now: now.getTime(), wake: true });
  };
