// The operations of processing jobs.
import { deleteOperation, describeOperation, listOperation } from "../../derived-operations.ts";
import type { Operation } from "../../service.ts";
import type { SagemakerContext } from "../context.ts";
import { createProcessingJob } from "./create-processing-job.ts";
import { isOver, visibleState } from "../jobs/job-kind.ts";
import { cannotDelete } from "./errors.ts";
import { processingJob, type ProcessingJob } from "./processing-job.resource.ts";
import { stopProcessingJob } from "./stop-processing-job.ts";

/** Only a job that has ended can be deleted; what it stored stays. */
function checkEnded({ arn, status, intent }: ProcessingJob): void {
  if (!isOver(status)) throw cannotDelete(arn, visibleState(status, intent));
}

export const processingJobOperations: readonly Operation<SagemakerContext>[] = [
  createProcessingJob,
  describeOperation(processingJob, "DescribeProcessingJob"),
  listOperation(processingJob, { name: "ListProcessingJobs", member: "ProcessingJobSummaries" }),
  stopProcessingJob,
  deleteOperation(processingJob, "DeleteProcessingJob", checkEnded),
];
