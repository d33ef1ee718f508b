/** What instances that were given back have cost somebody, in seconds (services/sagemaker/cost). Seconds are per instance. */
export interface ChargesTable {
  /** uid of a job, the same with "/pool" for the warm pool that it left, key of an endpoint's instance. */
  id: string;
  account: string;
  region: string;
  /** training-job, warm-pool, processing-job, transform-job, endpoint */
  kind: string;
  name: string;
  instance_type: string;
  instances: number;
  started_at: number;
  ended_at: number;
  billed_seconds: number;
  saved_seconds: number;
  /** [{Key, Value}], as they were at the end. */
  tags: string;
}
