// Front door of STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
import { AwsError } from "../../lib/aws-error.ts";
import type { StsOperations } from "../../models/generated/sts.ts";
import { UnknownRoleError, type Identity, type SessionCredentials } from "../iam/index.ts";
import { defineService, operationsOf, type Caller, type RequestContext, type Service } from "../service.ts";

interface StsContext extends RequestContext {
  readonly identity: Identity;
}

const operation = operationsOf<StsOperations, StsContext>();

const wireCredentials = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: SessionCredentials) => ({
  AccessKeyId: accessKeyId,
  SecretAccessKey: secretAccessKey,
  SessionToken: sessionToken,
  Expiration: expiration,
});

const getCallerIdentity = operation("GetCallerIdentity", async (_, { caller }) => ({
  UserId: caller.userId,
  Account: caller.account,
  Arn: caller.arn,
}));

const mayNotAssume = (caller: Caller, roleArn: string): AwsError =>
  new AwsError(
    "AccessDenied",
    `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    { httpStatus: 403 },
  );

const assumeRole = operation("AssumeRole", async (input, { caller, identity }) => {
  const { RoleArn, RoleSessionName } = input;
  if (input.Policy !== undefined || (input.PolicyArns ?? []).length > 0) {
    // A session that is not limited as asked would be worse than none.
    throw new AwsError("NotImplementedException", "Session policies are not implemented by Salvia yet.");
  }
  const role = await identity.findRole(RoleArn);
  // AWS does not tell an unknown role from a forbidden one.
  if (!role || role.account !== caller.account) throw mayNotAssume(caller, RoleArn);
  const seconds = input.DurationSeconds ?? 3_600;
  if (seconds > role.max_session_seconds) {
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  try {
    const session = await identity.sessionFor(RoleArn, RoleSessionName, seconds);
    return {
      Credentials: wireCredentials(session),
      AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
      ...(input.SourceIdentity === undefined ? {} : { SourceIdentity: input.SourceIdentity }),
    };
  } catch (error) {
    if (error instanceof UnknownRoleError) throw mayNotAssume(caller, RoleArn);
    throw error;
  }
});

const getSessionToken = operation("GetSessionToken", async ({ DurationSeconds }, { caller, identity }) => {
  if (caller.arn.includes(":assumed-role/")) {
    throw new AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", { httpStatus: 403 });
  }
  return { Credentials: wireCredentials(identity.sessionOf(caller, DurationSeconds ?? 3_600)) };
});

export const createSts = ({ identity }: { readonly identity: Identity }): Service =>
  defineService<StsContext>("sts", [getCallerIdentity, assumeRole, getSessionToken], { identity });
