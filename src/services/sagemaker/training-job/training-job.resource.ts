// A training job: what is stored of it and how it is shown.
import type {
  CreateTrainingJobRequest,
  DescribeTrainingJobResponse,
  MetricData,
  ModelArtifacts,
  TrainingJobSummary,
  WarmPoolStatus,
} from "../../../models/generated/sagemaker.ts";
import { defineResource, wireFields, type Resource } from "../../resource-definition.ts";
import { isOver, type JobIntent, type JobState } from "../jobs/job-kind.ts";
import { trainingJobExists, trainingJobNotFound } from "./errors.ts";
import { visiblePool } from "./visible-pool.ts";
import { moveTo, walkFrom, type Walk } from "./secondary-status.ts";

/** The request with its defaults filled in; tags are kept beside it. */
export type TrainingJobSpec = Omit<CreateTrainingJobRequest, "Tags">;

export interface TrainingJobIntent extends JobIntent {
  /** The job that has taken the instances of this one over. */
  readonly reusedBy?: string;
  readonly reusedAt?: Date;
}

export interface TrainingJobStatus extends Walk {
  readonly TrainingJobStatus: JobState;
  readonly FailureReason?: string;
  readonly ModelArtifacts?: ModelArtifacts;
  readonly TrainingStartTime?: Date;
  readonly TrainingEndTime?: Date;
  readonly TrainingTimeInSeconds?: number;
  readonly BillableTimeInSeconds?: number;
  readonly FinalMetricDataList?: readonly MetricData[];
  /** 0, and one more with every restart after the loss of an instance. */
  readonly attempt: number;
  /** Seconds that earlier attempts ran. */
  readonly earlierSeconds?: number;
  /** When this attempt began to bring data in; null between attempts. */
  readonly attemptStartedAt?: Date | null;
  /** When the spot capacity of this attempt was taken back; null between attempts. */
  readonly interruptedAt?: Date | null;
  /** Of a job on spot capacity, 0 to 100, from its first launch on. */
  readonly spotDiscountPercent?: number;
  /** When MaxWaitTimeInSeconds was over. */
  readonly waitExceededAt?: Date;
  readonly WarmPoolStatus?: WarmPoolStatus;
  /** When its instances became a warm pool. */
  readonly retainedAt?: Date;
  /** When the first job began on the instances of the pool. */
  readonly poolStartedAt?: Date;
  /** Blob of the JobPlan. */
  readonly planBlob?: string;
  /** When the tasks of this attempt were started; null between attempts. */
  readonly launchedAt?: Date | null;
}

export type TrainingJob = Resource<TrainingJobSpec, TrainingJobIntent, TrainingJobStatus>;

export const isSettled = (status: TrainingJobStatus): boolean => isOver({ state: status.TrainingJobStatus });

export const statusAtStart = (at: Date): TrainingJobStatus => ({
  TrainingJobStatus: "InProgress",
  ...walkFrom(at),
  attempt: 0,
});

/** Says of a pool that another job took over whose it is, before a reconciler has seen it. */
function shownPool(status: TrainingJobStatus, intent: TrainingJobIntent): Partial<TrainingJobStatus> {
  const pool = visiblePool(status, intent);
  return pool ? { WarmPoolStatus: pool } : {};
}

/** A stop is visible at once, before a reconciler has seen it. */
export const visibleStatus = (status: TrainingJobStatus, intent: TrainingJobIntent): TrainingJobStatus =>
  intent.stopRequestedAt && status.TrainingJobStatus === "InProgress"
    ? { ...status, TrainingJobStatus: "Stopping", ...moveTo(status, "Stopping", intent.stopRequestedAt) }
    : { ...status, ...shownPool(status, intent) };

type Described = Omit<DescribeTrainingJobResponse, "ModelArtifacts"> &
  Partial<Pick<DescribeTrainingJobResponse, "ModelArtifacts">>;

function describe({ spec, intent, status, name, arn, createdAt, modifiedAt }: TrainingJob): Described {
  const {
    SessionChainingConfig: _,
    StoppingCondition = {},
    EnableNetworkIsolation = false,
    EnableInterContainerTrafficEncryption = false,
    EnableManagedSpotTraining = false,
    ...request
  } = spec;
  return {
    ...request,
    // AWS answers an empty KmsKeyId where none was given, and Estimator.attach of the SageMaker SDK 2 reads it.
    OutputDataConfig: { KmsKeyId: "", CompressionType: "GZIP", ...request.OutputDataConfig },
    StoppingCondition,
    EnableNetworkIsolation,
    EnableInterContainerTrafficEncryption,
    EnableManagedSpotTraining,
    ...(wireFields(visibleStatus(status, intent)) as Pick<
      DescribeTrainingJobResponse,
      "TrainingJobStatus" | "SecondaryStatus"
    >),
    TrainingJobName: name,
    TrainingJobArn: arn,
    CreationTime: createdAt,
    LastModifiedTime: modifiedAt,
  };
}

function summary({ intent, status, name, arn, createdAt, modifiedAt }: TrainingJob): TrainingJobSummary {
  const { TrainingJobStatus, SecondaryStatus, WarmPoolStatus: pool } = visibleStatus(status, intent);
  return {
    TrainingJobName: name,
    TrainingJobArn: arn,
    CreationTime: createdAt,
    ...(status.TrainingEndTime ? { TrainingEndTime: status.TrainingEndTime } : {}),
    LastModifiedTime: modifiedAt,
    TrainingJobStatus,
    SecondaryStatus,
    ...(pool ? { WarmPoolStatus: pool } : {}),
  };
}

export const trainingJob = defineResource<TrainingJobSpec, TrainingJobIntent, TrainingJobStatus>({
  service: "sagemaker",
  kind: "training-job",
  nameMember: "TrainingJobName",
  arn: ({ region, account, name }) => `arn:aws:sagemaker:${region}:${account}:training-job/${name}`,
  // Dated by whoever creates one: `statusAtStart`.
  initialStatus: statusAtStart(new Date(0)),
  initialIntent: {},
  stateOf: (status, intent) => visibleStatus(status, intent).TrainingJobStatus,
  describe,
  summary,
  isReconciled: true,
  notFound: trainingJobNotFound,
  alreadyExists: ({ arn }) => trainingJobExists(arn),
});
