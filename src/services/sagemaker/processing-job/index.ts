// The operations of processing jobs.
import { describeOperation, listOperation } from "../../derived-operations.ts";
import type { Operation } from "../../service.ts";
import type { SagemakerContext } from "../context.ts";
import { createProcessingJob } from "./create-processing-job.ts";
import { deleteEndedOperation, stopOperation } from "../jobs/job-operations.ts";
import { processingJob } from "./processing-job.resource.ts";

export const processingJobOperations: readonly Operation<SagemakerContext>[] = [
  createProcessingJob,
  describeOperation(processingJob, "DescribeProcessingJob"),
  listOperation(processingJob, { name: "ListProcessingJobs", member: "ProcessingJobSummaries" }),
  stopOperation(processingJob, "StopProcessingJob", "processing job"),
  deleteEndedOperation(processingJob, "DeleteProcessingJob", "processing job"),
];
