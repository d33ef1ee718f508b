// How many instances one request may ask for, in the words of AWS's service quotas.
import { AwsError } from "../../lib/aws-error.ts";
import type { Instances } from "./jobs/job-instances.ts";

export type Usage = "training job" | "processing job" | "transform job" | "endpoint";

export const tooManyInstances = (usage: Usage, { type, count }: Instances, limit: number): AwsError =>
  new AwsError(
    "ResourceLimitExceeded",
    `The account-level service limit '${type} for ${usage} usage' is ${limit} Instances, with current utilization of 0 Instances and a request delta of ${count} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.`,
  );
