// Front door of STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
import { AwsError } from "../../lib/aws-error.ts";
import type { Identity } from "../iam/index.ts";
import { defineService, type Service } from "../service.ts";
import { assumeRole } from "./assume-role.ts";
import { operation, type StsContext } from "./context.ts";
import { getFederationToken, getSessionToken } from "./own-sessions.ts";

const getCallerIdentity = operation("GetCallerIdentity", async (_, { caller }) => ({
  UserId: caller.userId,
  Account: caller.account,
  Arn: caller.arn,
}));

const getAccessKeyInfo = operation("GetAccessKeyInfo", async ({ AccessKeyId }, { caller, identity }) => {
  // Keys of sessions are not kept; of its own the caller knows.
  const isOwn = AccessKeyId === caller.accessKeyId;
  const account = isOwn ? caller.account : await identity.accountOfKey(AccessKeyId);
  if (account === undefined) throw new AwsError("ValidationError", `Invalid AccessKeyId: ${AccessKeyId}`);
  return { Account: account };
});

const operations = [getCallerIdentity, assumeRole, getSessionToken, getFederationToken, getAccessKeyInfo];

export const createSts = ({ identity }: { readonly identity: Identity }): Service =>
  defineService<StsContext>("sts", operations, { identity });
