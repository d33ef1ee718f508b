// The role that jobs and models act as: it must be one of the caller's account, and let SageMaker assume it.
import { AwsError, validationError } from "../../lib/aws-error.ts";
import type { SagemakerContext } from "./context.ts";

/** Throws AWS's texts for a role of another account and for one that is not there or trusts others. */
export async function checkExecutionRole(roleArn: string, ctx: SagemakerContext): Promise<void> {
  const [, account] = /^arn:[^:]*:iam::(\d{12}):role\//.exec(roleArn) ?? [];
  if (account !== undefined && account !== ctx.account)
    throw new AwsError("AccessDeniedException", "Cross-account pass role is not allowed.");
  if (!(await ctx.roles.serviceMayAssume(roleArn, "sagemaker.amazonaws.com")))
    throw validationError(
      `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.`,
    );
}
