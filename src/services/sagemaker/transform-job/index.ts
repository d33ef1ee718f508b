// The operations of transform jobs.
import { describeOperation, listOperation } from "../../derived-operations.ts";
import type { Operation } from "../../service.ts";
import type { SagemakerContext } from "../context.ts";
import { stopOperation } from "../jobs/job-operations.ts";
import { createTransformJob } from "./create-transform-job.ts";
import { transformJob } from "./transform-job.resource.ts";

export const transformJobOperations: readonly Operation<SagemakerContext>[] = [
  createTransformJob,
  describeOperation(transformJob, "DescribeTransformJob"),
  listOperation(transformJob, { name: "ListTransformJobs", member: "TransformJobSummaries" }),
  stopOperation(transformJob, "StopTransformJob", "transform job"),
];
