// ListTrainingJobs: the derived list, and the filter by warm pools, which no column of the table has.
import { listOperation } from "../../derived-operations.ts";
import type { ListTrainingJobsRequest, ListTrainingJobsResponse } from "../../../models/generated/sagemaker.ts";
import { operation, type SagemakerContext } from "../context.ts";
import { trainingJob } from "./training-job.resource.ts";

const list = listOperation(trainingJob, { name: "ListTrainingJobs", member: "TrainingJobSummaries" });
const pageSize = 100;

async function page(
  input: ListTrainingJobsRequest,
  ctx: SagemakerContext,
  NextToken: string | undefined,
  MaxResults: number,
): Promise<ListTrainingJobsResponse> {
  return (await list.handle({ ...input, NextToken, MaxResults }, ctx)) as ListTrainingJobsResponse;
}

/** Reads on until the page is full: tokens always name the last job that was looked at. */
async function ofPool(input: ListTrainingJobsRequest, ctx: SagemakerContext): Promise<ListTrainingJobsResponse> {
  const wanted = input.MaxResults ?? 10;
  const found: ListTrainingJobsResponse["TrainingJobSummaries"][number][] = [];
  let token = input.NextToken;
  for (;;) {
    const { TrainingJobSummaries: jobs, NextToken } = await page(input, ctx, token, pageSize);
    const matches = jobs.filter((job) => job.WarmPoolStatus?.Status === input.WarmPoolStatusEquals);
    const missing = wanted - found.length;
    const last = matches[missing - 1];
    if (last === undefined) {
      found.push(...matches);
      if (NextToken === undefined) return { TrainingJobSummaries: found };
      token = NextToken;
      continue;
    }
    found.push(...matches.slice(0, missing));
    // The same page again, as far as it was used: its token goes on from there.
    const used = await page(input, ctx, token, jobs.indexOf(last) + 1);
    return { TrainingJobSummaries: found, ...(used.NextToken === undefined ? {} : { NextToken: used.NextToken }) };
  }
}

export const listTrainingJobs = operation("ListTrainingJobs", async (input, ctx) => {
  // No job here has a training plan.
  if (input.TrainingPlanArnEquals !== undefined) return { TrainingJobSummaries: [] };
  if (input.WarmPoolStatusEquals !== undefined) return ofPool(input, ctx);
  return (await list.handle(input, ctx)) as ListTrainingJobsResponse;
});
