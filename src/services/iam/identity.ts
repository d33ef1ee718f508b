// Turns an access key, and the session token beside it, into a caller. Answers from memory for a few seconds, so that the
// hot path reads no row; changes made here are seen at once, those of another replica after `rememberedMs`.
import type { Reader, Store, Writer } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { Caller } from "../service.ts";
import { newAccessKey, uniqueId, type AccessKey, type SessionCredentials } from "./credentials.ts";
import { policyDocumentOf } from "./policies.ts";
import { executionRole, findRole, findRoleByArn, insertRole, type RoleRow } from "./roles.ts";
import { openSession, sealSession, type Session } from "./session-tokens.ts";

export type Resolution =
  | { readonly caller: Caller; readonly secretAccessKey: string }
  | { readonly problem: "unknown-key" | "bad-token" | "expired-token" };

/** Thrown where a session is asked of a role that is not there. */
export class UnknownRoleError extends Error {
  readonly roleArn: string;
  constructor(roleArn: string) {
    super(`There is no role ${roleArn}.`);
    this.roleArn = roleArn;
  }
}

export interface IdentityOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The first account. */
  readonly accountId: string;
  /** Root credentials of the first account, where the settings give them; else they are made and stored. */
  readonly rootKey?: AccessKey | undefined;
  /** 32 bytes; seals session tokens. */
  readonly sessionKey: Uint8Array;
}

interface Remembered {
  readonly sessionToken: string | undefined;
  readonly resolution: Resolution;
  readonly untilMs: number;
}

const rememberedMs = 5_000;
const maxRemembered = 10_000;
const useNotedEveryMs = 60_000;

/** What a session may not pass, besides the policies of whom it is made of; and its tags. */
export type SessionBorders = Pick<Session, "policies" | "policyArns" | "tags">;

const userUidOf = (userId: string): { userUid?: string } => (userId.startsWith("AIDA") ? { userUid: userId } : {});

/** To a role without any policy: what sessions of SalviaExecutionRole may do is everything, until its owner says otherwise. */
async function attachAdministratorAccess(tx: Writer, account: string, name: string, nowMs: number): Promise<void> {
  const role = await findRole(tx, account, name);
  if (!role) throw new Error(`the role ${name} of account ${account} vanished`);
  const owner_uid = role.uid;
  const attached = await tx
    .selectFrom("policy_attachments")
    .select("policy_arn")
    .where("owner_uid", "=", owner_uid)
    .execute();
  const inline = await tx
    .selectFrom("inline_policies")
    .select("policy_name")
    .where("owner_uid", "=", owner_uid)
    .execute();
  if (attached.length + inline.length > 0) return;
  const policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await tx.insertInto("policy_attachments").values({ owner_uid, policy_arn, attached_at: nowMs }).execute();
}

const rootArn = (account: string): string => `arn:aws:iam::${account}:root`;

export class Identity {
  readonly #options: IdentityOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #usedAt = new Map<string, number>();

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /** Who holds this key. The secret verifies the signature; an answer says nothing about whether it was signed. */
  async resolve(accessKeyId: string, sessionToken?: string): Promise<Resolution> {
    const nowMs = this.#options.clock.now().getTime();
    const known = this.#remembered.get(accessKeyId);
    if (known && known.untilMs > nowMs && known.sessionToken === sessionToken) return known.resolution;
    const { resolution, expiresAtMs } = await this.#look(accessKeyId, sessionToken, nowMs);
    // Guesses are not remembered: they would push out the keys in use.
    if ("caller" in resolution) {
      if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
      const untilMs = Math.min(nowMs + rememberedMs, expiresAtMs);
      this.#remembered.set(accessKeyId, { sessionToken, resolution, untilMs });
    }
    return resolution;
  }

  /** True if a role with exactly this ARN exists. */
  async roleExists(roleArn: string): Promise<boolean> {
    return (await findRoleByArn(this.#options.store.read, roleArn)) !== undefined;
  }

  findRole(roleArn: string): Promise<RoleRow | undefined> {
    return findRoleByArn(this.#options.store.read, roleArn);
  }

  /** Credentials of a session of the role. Costs no row. Throws UnknownRoleError. */
  async sessionFor(
    roleArn: string,
    sessionName: string,
    durationSeconds: number,
    borders: SessionBorders = {},
  ): Promise<SessionCredentials> {
    const role = await this.findRole(roleArn);
    if (!role) throw new UnknownRoleError(roleArn);
    const { account, name, uid } = role;
    const arn = `arn:aws:sts::${account}:assumed-role/${name}/${sessionName}`;
    return this.#seal({ account, arn, userId: `${uid}:${sessionName}`, roleUid: uid, ...borders }, durationSeconds);
  }

  /** A session of the caller itself (GetSessionToken). */
  sessionOf({ account, arn, userId }: Caller, durationSeconds: number): SessionCredentials {
    return this.#seal({ account, arn, userId, ...userUidOf(userId) }, durationSeconds);
  }

  /** A session under a name of its own with no more than the caller's permissions (GetFederationToken). */
  federatedSession(caller: Caller, name: string, durationSeconds: number, borders: SessionBorders): SessionCredentials {
    const { account, arn: sourceArn, userId } = caller;
    const arn = `arn:aws:sts::${account}:federated-user/${name}`;
    const session = { account, arn, userId: `${account}:${name}`, sourceArn, ...userUidOf(userId) };
    return this.#seal({ ...session, ...borders }, durationSeconds);
  }

  /** Undefined: no key that is stored here, and not root's of the settings. */
  async accountOfKey(accessKeyId: string): Promise<string | undefined> {
    const { store, rootKey, accountId } = this.#options;
    if (accessKeyId === rootKey?.accessKeyId) return accountId;
    const row = await store.read
      .selectFrom("access_keys")
      .select("account")
      .where("access_key_id", "=", accessKeyId)
      .executeTakeFirst();
    return row?.account;
  }

  /** Another account under a number of its own. */
  async createAccount(name: string): Promise<string> {
    const { store, random, clock, accountId } = this.#options;
    const created_at = clock.now().getTime();
    for (;;) {
      const id = Array.from(random.bytes(12), (byte) => byte % 10).join("");
      if (id === accountId) continue;
      const { numInsertedOrUpdatedRows } = await store.write((tx) =>
        tx
          .insertInto("accounts")
          .values({ id, name, created_at })
          .onConflict((conflict) => conflict.column("id").doNothing())
          .executeTakeFirst(),
      );
      if (numInsertedOrUpdatedRows !== 1n) continue;
      await this.ensureAccount(id);
      return id;
    }
  }

  /** Those besides the first, the oldest first. */
  accounts(): Promise<{ readonly id: string; readonly name: string }[]> {
    const { read } = this.#options.store;
    return read.selectFrom("accounts").select(["id", "name"]).orderBy("created_at").orderBy("id").execute();
  }

  /** After a request was verified: access keys remember when and for what, to the minute. */
  noteUse({ accessKeyId }: Caller, service: string, region: string): void {
    const { clock, store, log, rootKey } = this.#options;
    if (!accessKeyId.startsWith("AKIA") || accessKeyId === rootKey?.accessKeyId) return;
    const nowMs = clock.now().getTime();
    if ((this.#usedAt.get(accessKeyId) ?? Number.NEGATIVE_INFINITY) > nowMs - useNotedEveryMs) return;
    if (this.#usedAt.size >= maxRemembered) this.#usedAt.clear();
    this.#usedAt.set(accessKeyId, nowMs);
    const use = { last_used_at: nowMs, last_used_service: service, last_used_region: region };
    store
      .write((tx) => tx.updateTable("access_keys").set(use).where("access_key_id", "=", accessKeyId).execute())
      .catch((error: unknown) => log.warn("the use of an access key was not noted", { error: String(error) }));
  }

  /** Root credentials of the account, made and stored when there are none yet. */
  async rootCredentials(account: string): Promise<AccessKey> {
    const { rootKey, accountId, store, random, clock, log } = this.#options;
    if (rootKey && account === accountId) return rootKey;
    const stored = () =>
      store.read
        .selectFrom("access_keys")
        .select(["access_key_id", "secret_access_key"])
        .where("account", "=", account)
        .where("principal_arn", "=", rootArn(account))
        .where("is_active", "=", 1)
        .orderBy("created_at")
        .orderBy("access_key_id")
        .executeTakeFirst();
    if (!(await stored())) {
      const key = newAccessKey(random, "AKIA");
      const row = { account, principal_arn: rootArn(account), user_id: account, is_active: 1 };
      const created_at = clock.now().getTime();
      await store.write((tx) =>
        tx
          .insertInto("access_keys")
          .values({ ...row, access_key_id: key.accessKeyId, secret_access_key: key.secretAccessKey, created_at })
          .execute(),
      );
      log.info("root credentials made", { account });
    }
    // Read again: of two that made a pair at once, both use the older.
    const row = await stored();
    if (!row) throw new Error(`the root key of account ${account} vanished`);
    return { accessKeyId: row.access_key_id, secretAccessKey: row.secret_access_key };
  }

  /** Makes what every account has: root credentials and SalviaExecutionRole. Safe to repeat. */
  async ensureAccount(account: string): Promise<void> {
    const { store, random, clock } = this.#options;
    await this.rootCredentials(account);
    const role = executionRole(account);
    await store.write(async (tx) => {
      await insertRole(tx, role, random, clock.now().getTime());
      await attachAdministratorAccess(tx, account, role.name, clock.now().getTime());
    });
  }

  /** After a key or a role was changed or deleted. */
  forgetAll(): void {
    this.#remembered.clear();
  }

  #seal(session: Omit<Session, "expiresAtMs" | "secretAccessKey">, durationSeconds: number): SessionCredentials {
    const { random, clock, sessionKey } = this.#options;
    const { secretAccessKey } = newAccessKey(random, "ASIA");
    const accessKeyId = uniqueId(random, "ASIA", 20);
    const expiresAtMs = Math.floor(clock.now().getTime() / 1_000 + durationSeconds) * 1_000;
    const sessionToken = sealSession(sessionKey, accessKeyId, { ...session, expiresAtMs, secretAccessKey }, random);
    const { arn, userId } = session;
    return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiresAtMs), arn, userId };
  }

  async #look(
    accessKeyId: string,
    sessionToken: string | undefined,
    nowMs: number,
  ): Promise<{ readonly resolution: Resolution; readonly expiresAtMs: number }> {
    if (sessionToken !== undefined || accessKeyId.startsWith("ASIA")) {
      return this.#lookInToken(accessKeyId, sessionToken ?? "", nowMs);
    }
    const { rootKey, accountId, store } = this.#options;
    const expiresAtMs = Number.POSITIVE_INFINITY;
    if (accessKeyId === rootKey?.accessKeyId) {
      const caller = { account: accountId, arn: rootArn(accountId), userId: accountId, accessKeyId };
      return { resolution: { caller, secretAccessKey: rootKey.secretAccessKey }, expiresAtMs };
    }
    const row = await store.read
      .selectFrom("access_keys")
      .selectAll()
      .where("access_key_id", "=", accessKeyId)
      .executeTakeFirst();
    // A stored pair of the first account's root must not outlive the settings that replaced it.
    const isReplaced = rootKey !== undefined && row?.principal_arn === rootArn(accountId);
    if (!row || row.is_active === 0 || isReplaced) return { resolution: { problem: "unknown-key" }, expiresAtMs };
    const caller = { account: row.account, arn: row.principal_arn, userId: row.user_id, accessKeyId };
    return { resolution: { caller, secretAccessKey: row.secret_access_key }, expiresAtMs };
  }

  async #lookInToken(accessKeyId: string, sessionToken: string, nowMs: number) {
    const { sessionKey, store } = this.#options;
    const session = openSession(sessionKey, accessKeyId, sessionToken);
    if (!session) return { resolution: { problem: "bad-token" } as const, expiresAtMs: 0 };
    const { account, arn, userId, expiresAtMs, secretAccessKey, sourceArn, tags } = session;
    if (expiresAtMs <= nowMs) return { resolution: { problem: "expired-token" } as const, expiresAtMs };
    if (!(await this.#isThere(session))) return { resolution: { problem: "bad-token" } as const, expiresAtMs };
    const caller: Caller = {
      account,
      arn,
      userId,
      accessKeyId,
      ...(await sessionPolicies(store.read, session)),
      ...(tags && { sessionTags: tags }),
      ...(sourceArn !== undefined && { sourceArn }),
    };
    return { resolution: { caller, secretAccessKey }, expiresAtMs };
  }

  /** A session ends with the role or user that it is of. */
  async #isThere({ roleUid, userUid }: Session): Promise<boolean> {
    const { read } = this.#options.store;
    if (roleUid !== undefined) {
      return (await read.selectFrom("roles").select("uid").where("uid", "=", roleUid).executeTakeFirst()) !== undefined;
    }
    if (userUid === undefined) return true;
    return (await read.selectFrom("users").select("uid").where("uid", "=", userUid).executeTakeFirst()) !== undefined;
  }
}

/** Allows nothing: what stands for a managed policy that is gone, and for a federated session without a policy. */
export const allowsNothing = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "none:None", Resource: "*" }],
});

async function sessionPolicies(
  read: Reader,
  { account, policies, policyArns }: Session,
): Promise<{ sessionPolicies?: readonly string[] }> {
  if (!policies && !policyArns) return {};
  const managed: string[] = [];
  for (const arn of policyArns ?? []) managed.push((await policyDocumentOf(read, account, arn)) ?? allowsNothing);
  return { sessionPolicies: [...(policies ?? []), ...managed] };
}
