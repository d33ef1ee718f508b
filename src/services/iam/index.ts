// Front door of IAM: the service, and the identity that the pipeline, sts and the starters of tasks ask.
import { settingOrMade } from "../../database/settings.ts";
import type { Store } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import { defineService, type Service } from "../service.ts";
import type { IamContext } from "./context.ts";
import type { AccessKey } from "./credentials.ts";
import { getUser } from "./get-user.ts";
import { Identity } from "./identity.ts";
import { rolePolicyOperations } from "./role-policy-operations.ts";
import { roleOperations } from "./role-operations.ts";

export type { AccessKey, SessionCredentials } from "./credentials.ts";
export { Identity, UnknownRoleError } from "./identity.ts";

export interface IamOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The first account. */
  readonly accountId: string;
  /** Root credentials of the first account; without them a pair is made at first start and stored. */
  readonly rootKey?: AccessKey | undefined;
}

/** Resolves once the first account has its root credentials and SalviaExecutionRole. */
export async function createIam(options: IamOptions): Promise<{ service: Service; identity: Identity }> {
  const { store, random, accountId } = options;
  const stored = await settingOrMade(store, "iam/session-key", () => random.bytes(32).toString("base64"));
  const identity = new Identity({ ...options, sessionKey: Buffer.from(stored, "base64") });
  await identity.ensureAccount(accountId);
  const operations = [...roleOperations, ...rolePolicyOperations, getUser];
  const service = defineService<IamContext>("iam", operations, { identity });
  return { service, identity };
}
