// Rows of roles: found by name or ARN, made, and the role that every account has.
import { prepared } from "../../database/prepared.ts";
import type { RolesTable } from "../../database/tables/identity.ts";
import type { Reader, Writer } from "../../database/store.ts";
import type { Random } from "../../lib/random.ts";
import { uniqueId } from "./credentials.ts";

export type RoleRow = RolesTable;

const executionRoleName = "SalviaExecutionRole";

export const roleArn = ({ account, path, name }: Pick<RoleRow, "account" | "path" | "name">): string =>
  `arn:aws:iam::${account}:role${path}${name}`;

const byName = prepared<RoleRow>((db) =>
  db.selectFrom("roles").selectAll().where("account", "=", "").where("name_key", "=", ""),
);

export const findRole = async (db: Reader, account: string, name: string): Promise<RoleRow | undefined> =>
  (await byName(db, [account, name.toLowerCase()]))[0];

/** The role with exactly this ARN, path included. */
export async function findRoleByArn(db: Reader, arn: string): Promise<RoleRow | undefined> {
  const [, account, name] = /^arn:aws[\w-]*:iam::(\d{12}):role\/(?:[^\s]*\/)?([\w+=,.@-]+)$/.exec(arn) ?? [];
  if (account === undefined || name === undefined) return undefined;
  const row = await findRole(db, account, name);
  return row && roleArn(row) === arn.replace(/^arn:aws[\w-]*:/, "arn:aws:") ? row : undefined;
}

export interface NewRole {
  readonly account: string;
  readonly name: string;
  readonly path?: string | undefined;
  readonly description?: string | undefined;
  readonly trustPolicy: string;
  readonly maxSessionSeconds?: number | undefined;
  readonly permissionsBoundary?: string | undefined;
  /** JSON, as in the row. */
  readonly tags?: string | undefined;
}

/** False where a role of this name exists: then nothing is written. */
export async function insertRole(tx: Writer, role: NewRole, random: Random, nowMs: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("roles")
    .values({
      account: role.account,
      name_key: role.name.toLowerCase(),
      name: role.name,
      uid: uniqueId(random, "AROA", 21),
      path: role.path ?? "/",
      description: role.description ?? null,
      trust_policy: role.trustPolicy,
      max_session_seconds: role.maxSessionSeconds ?? 3_600,
      permissions_boundary: role.permissionsBoundary ?? null,
      tags: role.tags ?? "[]",
      created_at: nowMs,
    })
    .onConflict((conflict) => conflict.columns(["account", "name_key"]).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** The role that notebooks and examples use: SageMaker may assume it, and so may the account itself. */
export const executionRole = (account: string): NewRole => ({
  account,
  name: executionRoleName,
  description: "Lets SageMaker work for this account. Made by Salvia.",
  maxSessionSeconds: 43_200,
  trustPolicy: JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sagemaker.amazonaws.com", AWS: `arn:aws:iam::${account}:root` },
        Action: "sts:AssumeRole",
      },
    ],
  }),
});
