// How a denial is told. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
import { AwsError } from "../../../lib/aws-error.ts";
import type { ServiceName } from "../../../models/index.ts";
import { reasonOf, type Decision, type Principal } from "./evaluate.ts";
import type { NeededAccess } from "./operation-call.ts";

/** Services that spoke query or XML first. */
const saysAccessDenied: ReadonlySet<ServiceName> = new Set<ServiceName>(["s3", "iam", "sts", "cloudwatch"]);

export function denial(
  service: ServiceName,
  principal: Principal,
  { action, resource, trustOf }: NeededAccess,
  decision: Exclude<Decision, { isAllowed: true }>,
  owner: string | undefined,
): AwsError {
  const code = saysAccessDenied.has(service) ? "AccessDenied" : "AccessDeniedException";
  // S3 explains itself only within one account: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
  const isForeign = principal.account === undefined || (owner !== undefined && owner !== principal.account);
  if (service === "s3" && isForeign) return new AwsError(code, "Access Denied", { httpStatus: 403 });
  const named = service === "s3" ? `"${resource}"` : resource;
  const reason = trustOf === undefined || decision.isExplicit ? ` ${reasonOf(decision, action)}` : "";
  return new AwsError(
    code,
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${named}${reason}`,
  );
}
