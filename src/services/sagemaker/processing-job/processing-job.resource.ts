// A processing job: what is stored of it and how it is shown.
import type {
  CreateProcessingJobRequest,
  DescribeProcessingJobResponse,
  ProcessingJobSummary,
} from "../../../models/generated/sagemaker.ts";
import { defineResource, type Resource } from "../../resource-definition.ts";
import { visibleState, type JobIntent, type JobStatus } from "../jobs/job-kind.ts";
import { jobDefinition } from "../jobs/job-operations.ts";

/** The request with its defaults filled in; tags are kept beside it. */
export type ProcessingJobSpec = Omit<CreateProcessingJobRequest, "Tags">;

export type ProcessingJob = Resource<ProcessingJobSpec, JobIntent, JobStatus>;

const outcomeOf = ({ failureReason, exitMessage, endedAt }: JobStatus) => ({
  ...(failureReason === undefined ? {} : { FailureReason: failureReason }),
  ...(exitMessage === undefined ? {} : { ExitMessage: exitMessage }),
  ...(endedAt ? { ProcessingEndTime: endedAt } : {}),
});

const describe = ({
  spec,
  intent,
  status,
  name,
  arn,
  createdAt,
  modifiedAt,
}: ProcessingJob): DescribeProcessingJobResponse => ({
  ...spec,
  ProcessingJobName: name,
  ProcessingJobArn: arn,
  ProcessingJobStatus: visibleState(status, intent),
  ...outcomeOf(status),
  ...(status.startedAt ? { ProcessingStartTime: status.startedAt } : {}),
  LastModifiedTime: modifiedAt,
  CreationTime: createdAt,
});

const summary = ({ intent, status, name, arn, createdAt, modifiedAt }: ProcessingJob): ProcessingJobSummary => ({
  ProcessingJobName: name,
  ProcessingJobArn: arn,
  CreationTime: createdAt,
  LastModifiedTime: modifiedAt,
  ProcessingJobStatus: visibleState(status, intent),
  ...outcomeOf(status),
});

export const processingJob = defineResource<ProcessingJobSpec, JobIntent, JobStatus>({
  ...jobDefinition,
  kind: "processing-job",
  nameMember: "ProcessingJobName",
  arn: ({ region, account, name }) => `arn:aws:sagemaker:${region}:${account}:processing-job/${name}`,
  describe,
  summary,
});
