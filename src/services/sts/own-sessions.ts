// Sessions that users and root make of themselves.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html, API_GetFederationToken.html
import { AwsError } from "../../lib/aws-error.ts";
import { allowsNothing } from "../iam/index.ts";
import type { Caller } from "../service.ts";
import { operation, wireCredentials } from "./context.ts";
import { bordersOf, packedPolicySize } from "./session-policies.ts";

const rootSeconds = 3_600;
const usualSeconds = 43_200;

const isRoot = ({ arn }: Caller): boolean => arn.endsWith(":root");

/** Root's sessions are short, whatever is asked. */
const secondsFor = (caller: Caller, asked: number | undefined): number =>
  isRoot(caller) ? Math.min(asked ?? rootSeconds, rootSeconds) : (asked ?? usualSeconds);

function refuseSessions({ accessKeyId }: Caller, operationName: string): void {
  if (!accessKeyId.startsWith("ASIA")) return;
  throw new AwsError("AccessDenied", `Cannot call ${operationName} with session credentials`, { httpStatus: 403 });
}

export const getSessionToken = operation("GetSessionToken", async ({ DurationSeconds }, { caller, identity }) => {
  refuseSessions(caller, "GetSessionToken");
  return { Credentials: wireCredentials(identity.sessionOf(caller, secondsFor(caller, DurationSeconds))) };
});

export const getFederationToken = operation("GetFederationToken", async (input, { caller, identity, store }) => {
  refuseSessions(caller, "GetFederationToken");
  const given = await bordersOf(store.read, caller.account, input);
  // Without a policy such a session may nothing but what resources grant to it by name.
  const borders = given.policies || given.policyArns ? given : { policies: [allowsNothing] };
  const tags = (input.Tags ?? []).map(({ Key, Value }) => ({ Key, Value, isTransitive: false }));
  const session = identity.federatedSession(caller, input.Name, secondsFor(caller, input.DurationSeconds), {
    ...borders,
    ...(tags.length > 0 && { tags }),
  });
  return {
    Credentials: wireCredentials(session),
    FederatedUser: { FederatedUserId: session.userId, Arn: session.arn },
    PackedPolicySize: packedPolicySize(input),
  };
});
