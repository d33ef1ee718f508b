// AssumeRole. Whether the caller may, and whether the role's trust policy lets it, has been decided before (iam/policy).
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
import { AwsError } from "../../lib/aws-error.ts";
import type { AssumeRoleRequest } from "../../models/generated/sts.ts";
import { UnknownRoleError } from "../iam/index.ts";
import type { Caller, SessionTag } from "../service.ts";
import { operation, wireCredentials } from "./context.ts";
import { bordersOf, packedPolicySize } from "./session-policies.ts";

const chainedSeconds = 3_600;

const mayNotAssume = ({ arn }: Caller, roleArn: string): AwsError =>
  new AwsError("AccessDenied", `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`, {
    httpStatus: 403,
  });

function checkDuration(seconds: number, maxSeconds: number, caller: Caller): void {
  if (seconds > maxSeconds) {
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  if (seconds > chainedSeconds && caller.arn.includes(":assumed-role/")) {
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  }
}

/** Those of the request, and the transitive ones of the session that asks: nobody may give these another value. */
function tagsFor({ Tags = [], TransitiveTagKeys = [] }: AssumeRoleRequest, caller: Caller): readonly SessionTag[] {
  const inherited = (caller.sessionTags ?? []).filter((tag) => tag.isTransitive);
  const taken = new Set(inherited.map(({ Key }) => Key.toLowerCase()));
  const clash = Tags.find(({ Key }) => taken.has(Key.toLowerCase()));
  if (clash) {
    const message = `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session: ${clash.Key}`;
    throw new AwsError("InvalidParameterValue", message, { httpStatus: 400 });
  }
  const transitive = new Set(TransitiveTagKeys.map((key) => key.toLowerCase()));
  const own = Tags.map(({ Key, Value }) => ({ Key, Value, isTransitive: transitive.has(Key.toLowerCase()) }));
  return [...inherited, ...own];
}

export const assumeRole = operation("AssumeRole", async (input, { caller, identity, store }) => {
  const { RoleArn, RoleSessionName, SourceIdentity } = input;
  const role = await identity.findRole(RoleArn);
  // AWS does not tell an unknown role from a forbidden one.
  if (!role) throw mayNotAssume(caller, RoleArn);
  const seconds = input.DurationSeconds ?? 3_600;
  checkDuration(seconds, role.max_session_seconds, caller);
  const tags = tagsFor(input, caller);
  const borders = { ...(await bordersOf(store.read, role.account, input)), ...(tags.length > 0 && { tags }) };
  try {
    const session = await identity.sessionFor(RoleArn, RoleSessionName, seconds, borders);
    return {
      Credentials: wireCredentials(session),
      AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
      PackedPolicySize: packedPolicySize(input),
      SourceIdentity,
    };
  } catch (error) {
    if (error instanceof UnknownRoleError) throw mayNotAssume(caller, RoleArn);
    throw error;
  }
});
