// A transform job: what is stored of it and how it is shown.
import type {
  CreateTransformJobRequest,
  DescribeTransformJobResponse,
  TransformJobSummary,
} from "../../../models/generated/sagemaker.ts";
import { defineResource, type Resource } from "../../resource-definition.ts";
import { visibleState, type JobIntent, type JobStatus } from "../jobs/job-kind.ts";
import { jobDefinition } from "../jobs/job-operations.ts";

/** The model as it was when the job was created. */
export interface TransformedModel {
  readonly image: string;
  /** Folder under src/algorithms; undefined: another program serves it. */
  readonly algorithm?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** s3:// URI of model.tar.gz. */
  readonly modelData?: string;
  readonly roleArn: string;
  /** No gateway, no credentials. */
  readonly isAlone: boolean;
}

/** The request with its defaults filled in, and the model; tags are kept beside it. */
export interface TransformJobSpec extends Omit<CreateTransformJobRequest, "Tags"> {
  readonly model: TransformedModel;
}

export type TransformJob = Resource<TransformJobSpec, JobIntent, JobStatus>;

function describe({ spec, intent, status, name, arn, createdAt }: TransformJob): DescribeTransformJobResponse {
  const { model: _, ...request } = spec;
  return {
    ...request,
    TransformJobName: name,
    TransformJobArn: arn,
    TransformJobStatus: visibleState(status, intent),
    ...(status.failureReason === undefined ? {} : { FailureReason: status.failureReason }),
    CreationTime: createdAt,
    ...(status.startedAt ? { TransformStartTime: status.startedAt } : {}),
    ...(status.endedAt ? { TransformEndTime: status.endedAt } : {}),
  };
}

const summary = ({ intent, status, name, arn, createdAt, modifiedAt }: TransformJob): TransformJobSummary => ({
  TransformJobName: name,
  TransformJobArn: arn,
  CreationTime: createdAt,
  ...(status.endedAt ? { TransformEndTime: status.endedAt } : {}),
  LastModifiedTime: modifiedAt,
  TransformJobStatus: visibleState(status, intent),
  ...(status.failureReason === undefined ? {} : { FailureReason: status.failureReason }),
});

export const transformJob = defineResource<TransformJobSpec, JobIntent, JobStatus>({
  ...jobDefinition,
  kind: "transform-job",
  nameMember: "TransformJobName",
  arn: ({ region, account, name }) => `arn:aws:sagemaker:${region}:${account}:transform-job/${name}`,
  describe,
  summary,
});
