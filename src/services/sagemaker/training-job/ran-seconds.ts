import type { TrainingJobStatus } from "./training-job.resource.ts";

/** How long the instances ran until `at`, over all attempts, in seconds: nobody pays for the waiting between them. */
export function ranSeconds(status: TrainingJobStatus, at: Date): number {
  const { attemptStartedAt: start, earlierSeconds = 0 } = status;
  return earlierSeconds + (start ? Math.max(0, (at.getTime() - start.getTime()) / 1_000) : 0);
}

/** What is paid of them: on spot capacity less by the discount that held when the job was launched. */
export const billableSeconds = ({ spotDiscountPercent = 0 }: TrainingJobStatus, seconds: number): number =>
  seconds * (1 - spotDiscountPercent / 100);
