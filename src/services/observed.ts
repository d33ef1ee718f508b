// Operations whose effect an acceptance test has observed (acceptance/, examples/quickstart); what `salvia coverage` calls full.
// `src/services/observed.test.ts` checks that each is really called there.
import type { ServiceName } from "../models/index.ts";

export const observed: Partial<Record<ServiceName, readonly string[]>> = {
  sagemaker: [
    "AddTags",
    "CreateEndpoint",
    "CreateEndpointConfig",
    "CreateModel",
    "CreateTrainingJob",
    "DeleteEndpoint",
    "DeleteEndpointConfig",
    "DeleteModel",
    "DeleteTags",
    "DeleteTrainingJob",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeModel",
    "DescribeTrainingJob",
    "ListEndpoints",
    "ListModels",
    "ListTags",
    "ListTrainingJobs",
    "Search",
    "StopTrainingJob",
  ],
  "sagemaker-runtime": ["InvokeEndpoint"],
  s3: [
    "CreateBucket",
    "GetObject",
    "HeadObject",
    "PutObject",
    "UploadPart",
    "CreateMultipartUpload",
    "CompleteMultipartUpload",
  ],
  logs: ["DescribeLogStreams", "FilterLogEvents", "GetLogEvents"],
  cloudwatch: ["ListMetrics"],
  iam: ["GetRole"],
  sts: ["GetCallerIdentity"],
};

/** Operations that keep what they are given and do nothing with it yet. */
export const storedOnly: Partial<Record<ServiceName, readonly string[]>> = {
  iam: ["PutRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "DeleteRolePolicy"],
};
