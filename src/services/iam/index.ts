// Front door of IAM: the service, and the identity that the pipeline, sts and the starters of tasks ask.
import { settingOrMade } from "../../database/settings.ts";
import { defineService, type Service } from "../service.ts";
import type { IamContext } from "./context.ts";
import { Identity, type IdentityOptions } from "./identity.ts";
import { accessKeyOperations } from "./access-key-operations.ts";
import { accountOperations } from "./account-operations.ts";
import { attachmentOperations } from "./attachment-operations.ts";
import { groupOperations } from "./group-operations.ts";
import { inlinePolicyOperations } from "./inline-policy-operations.ts";
import { instanceProfileOperations } from "./instance-profile-operations.ts";
import { permissionsBoundaryOperations } from "./permissions-boundary-operations.ts";
import { policyOperations } from "./policy-operations.ts";
import { policyVersionOperations } from "./policy-version-operations.ts";
import { roleOperations } from "./role-operations.ts";
import { serviceLinkedRoleOperations } from "./service-linked-role-operations.ts";
import { simulateOperations } from "./simulate.ts";
import { userOperations } from "./user-operations.ts";

export type { AccessKey, SessionCredentials } from "./credentials.ts";
export { checkPolicyDocument } from "./context.ts";
export { knownAccounts } from "./accounts.ts";
export { allowsNothing, Identity, UnknownRoleError } from "./identity.ts";
export { policyDocumentOf } from "./policies.ts";
export {
  Authoriser,
  type ActionRequest,
  type Authorised,
  type OperationRequest,
  type RoleDecision,
} from "./policy/authoriser.ts";
export { compilePolicy, PolicyProblem } from "./policy/policy-document.ts";
export { forgetting } from "./policy/forgetting.ts";
export type { NeededAccess } from "./policy/operation-call.ts";
export type { ListGrant } from "./policy/list-grants.ts";
export { bucketAccess, objectAccess } from "./policy/s3-access.ts";

export type IamOptions = Omit<IdentityOptions, "sessionKey">;

/** Resolves once the first account has its root credentials and SalviaExecutionRole. */
export async function createIam(options: IamOptions): Promise<{ service: Service; identity: Identity }> {
  const { store, random, accountId } = options;
  const stored = await settingOrMade(store, "iam/session-key", () => random.bytes(32).toString("base64"));
  const identity = new Identity({ ...options, sessionKey: Buffer.from(stored, "base64") });
  await identity.ensureAccount(accountId);
  const operations = [
    ...userOperations,
    ...accessKeyOperations,
    ...groupOperations,
    ...roleOperations,
    ...permissionsBoundaryOperations,
    ...instanceProfileOperations,
    ...inlinePolicyOperations,
    ...policyOperations,
    ...policyVersionOperations,
    ...attachmentOperations,
    ...serviceLinkedRoleOperations,
    ...accountOperations,
    ...simulateOperations,
  ];
  const service = defineService<IamContext>("iam", operations, { identity });
  return { service, identity };
}
