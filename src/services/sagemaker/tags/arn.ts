import type { ResourceIdentity } from "../../resource-definition.ts";

export interface SagemakerArn extends ResourceIdentity {
  /** e.g. "training-job" */
  readonly kind: string;
}

/** `arn:aws:sagemaker:<region>:<account>:<kind>/<name>`; undefined when the text is none. */
export function parseArn(arn: string): SagemakerArn | undefined {
  const [, region, account, kind, name] =
    /^arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):(\d{12}):([a-z-]+)\/(.+)$/.exec(arn) ?? [];
  if (region === undefined || account === undefined || kind === undefined || name === undefined) return undefined;
  return { region, account, kind, name };
}
