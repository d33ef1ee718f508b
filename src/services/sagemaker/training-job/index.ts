// The operations of training jobs.
import { describeOperation } from "../../derived-operations.ts";
import type { SagemakerContext } from "../context.ts";
import type { Operation } from "../../service.ts";
import { deleteEndedOperation, stopOperation } from "../jobs/job-operations.ts";
import { createTrainingJob } from "./create-training-job.ts";
import { hasWarmPool } from "./errors.ts";
import { listTrainingJobs } from "./list-training-jobs.ts";
import { trainingJob } from "./training-job.resource.ts";
import { updateTrainingJob } from "./update-training-job.ts";
import { visiblePool } from "./visible-pool.ts";

export const trainingJobOperations: readonly Operation<SagemakerContext>[] = [
  createTrainingJob,
  describeOperation(trainingJob, "DescribeTrainingJob"),
  listTrainingJobs,
  stopOperation(trainingJob, "StopTrainingJob", "training job"),
  updateTrainingJob,
  deleteEndedOperation(trainingJob, "DeleteTrainingJob", "training job", ({ arn, status, intent }) => {
    if (visiblePool(status, intent)?.Status === "Available") throw hasWarmPool(arn);
  }),
];
