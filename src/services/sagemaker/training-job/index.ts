// The operations of training jobs.
import { listResourcesOf } from "../../list-resources.ts";
import { operation } from "../context.ts";
import { createTrainingJob } from "./create-training-job.ts";
import { deleteTrainingJob } from "./delete-training-job.ts";
import { stopTrainingJob } from "./stop-training-job.ts";
import { trainingJob } from "./training-job.resource.ts";
import { updateTrainingJob } from "./update-training-job.ts";
import type { DescribeTrainingJobResponse, TrainingJobSummary } from "../../../models/generated/sagemaker.ts";

const describeTrainingJob = operation("DescribeTrainingJob", async ({ TrainingJobName }, ctx) => {
  const job = await ctx.resources.get(trainingJob, TrainingJobName);
  return trainingJob.describe(job) as DescribeTrainingJobResponse;
});

const listTrainingJobs = operation("ListTrainingJobs", async (input, ctx) => {
  // No job here has a warm pool or a training plan.
  if (input.WarmPoolStatusEquals !== undefined || input.TrainingPlanArnEquals !== undefined)
    return { TrainingJobSummaries: [] };
  const defaults = { sortBy: "CreationTime", sortOrder: "Descending" } as const;
  const { summaries, NextToken } = await listResourcesOf(ctx.resources, trainingJob, input, defaults);
  return { TrainingJobSummaries: summaries as TrainingJobSummary[], ...(NextToken === undefined ? {} : { NextToken }) };
});

export const trainingJobOperations = [
  createTrainingJob,
  describeTrainingJob,
  listTrainingJobs,
  stopTrainingJob,
  updateTrainingJob,
  deleteTrainingJob,
];
