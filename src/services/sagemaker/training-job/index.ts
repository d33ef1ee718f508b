// The operations of training jobs.
import { describeOperation, listOperation } from "../../derived-operations.ts";
import { operation, type SagemakerContext } from "../context.ts";
import type { ListTrainingJobsResponse } from "../../../models/generated/sagemaker.ts";
import type { Operation } from "../../service.ts";
import { deleteEndedOperation, stopOperation } from "../jobs/job-operations.ts";
import { createTrainingJob } from "./create-training-job.ts";
import { trainingJob } from "./training-job.resource.ts";
import { updateTrainingJob } from "./update-training-job.ts";

const list = listOperation(trainingJob, { name: "ListTrainingJobs", member: "TrainingJobSummaries" });

/** No job here has a warm pool or a training plan. */
const listTrainingJobs = operation("ListTrainingJobs", async (input, ctx) => {
  const asksForOthers = input.WarmPoolStatusEquals !== undefined || input.TrainingPlanArnEquals !== undefined;
  if (asksForOthers) return { TrainingJobSummaries: [] };
  return (await list.handle(input, ctx)) as ListTrainingJobsResponse;
});

export const trainingJobOperations: readonly Operation<SagemakerContext>[] = [
  createTrainingJob,
  describeOperation(trainingJob, "DescribeTrainingJob"),
  listTrainingJobs,
  stopOperation(trainingJob, "StopTrainingJob", "training job"),
  updateTrainingJob,
  deleteEndedOperation(trainingJob, "DeleteTrainingJob", "training job"),
];
