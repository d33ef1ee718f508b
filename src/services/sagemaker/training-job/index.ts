// The operations of training jobs.
import { deleteOperation, describeOperation, listOperation } from "../../derived-operations.ts";
import { operation, type SagemakerContext } from "../context.ts";
import type { ListTrainingJobsResponse } from "../../../models/generated/sagemaker.ts";
import type { Operation } from "../../service.ts";
import { createTrainingJob } from "./create-training-job.ts";
import { cannotDelete } from "./errors.ts";
import { stopTrainingJob } from "./stop-training-job.ts";
import { isSettled, trainingJob, visibleStatus, type TrainingJob } from "./training-job.resource.ts";
import { updateTrainingJob } from "./update-training-job.ts";

/** Only a job that has ended can be deleted; its artifacts and logs stay. */
function checkEnded({ arn, status, intent }: TrainingJob): void {
  if (!isSettled(status)) throw cannotDelete(arn, visibleStatus(status, intent).TrainingJobStatus);
}

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
  stopTrainingJob,
  updateTrainingJob,
  deleteOperation(trainingJob, "DeleteTrainingJob", checkEnded),
];
