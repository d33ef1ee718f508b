// Failures of a training job as SageMaker words them: the caller's fault, or the algorithm's.

/** The data, hyperparameters or set-up are wrong; the message goes to FailureReason after "ClientError: ". */
export class ClientError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ClientError";
  }
}

/** What /opt/ml/output/failure holds; the platform shows its first 1,024 characters as FailureReason. */
export function failureText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const isCallers = error instanceof ClientError || (error instanceof Error && error.name === "FormatError");
  return `${isCallers ? "ClientError" : "AlgorithmError"}: ${message}`;
}
