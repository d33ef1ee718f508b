// Rows of log groups: finding them by name, identifier or ARN.
import { sql, type Expression, type SqlBool } from "kysely";
import type { Scope } from "../../database/resources.ts";
import type { Reader, Writer } from "../../database/store.ts";
import type { LogGroupsTable } from "../../database/tables/logs.ts";
import { groupNotFound, invalidParameter } from "./errors.ts";

export type LogGroupRow = LogGroupsTable;

export const groupArn = ({ region, account, name }: Pick<LogGroupRow, "region" | "account" | "name">): string =>
  `arn:aws:logs:${region}:${account}:log-group:${name}`;

const arnPattern = /^arn:aws[a-z-]*:logs:([a-z0-9-]+):(\d{12}):log-group:([^:*]+)(?::\*)?$/;

export async function findGroup(reader: Reader, scope: Scope, name: string): Promise<LogGroupRow | undefined> {
  return reader
    .selectFrom("log_groups")
    .selectAll()
    .where("account", "=", scope.account)
    .where("region", "=", scope.region)
    .where("name", "=", name)
    .executeTakeFirst();
}

export async function requireGroup(reader: Reader, scope: Scope, name: string): Promise<LogGroupRow> {
  const group = await findGroup(reader, scope, name);
  if (!group) throw groupNotFound();
  return group;
}

/** By ARN; another account's or region's group does not exist for this caller. */
export async function requireGroupByArn(reader: Reader, scope: Scope, arn: string): Promise<LogGroupRow> {
  const [, region, account, name] = arnPattern.exec(arn) ?? [];
  if (name === undefined || region !== scope.region || account !== scope.account) throw groupNotFound();
  return requireGroup(reader, scope, name);
}

export interface GroupReference {
  readonly logGroupName?: string | undefined;
  readonly logGroupIdentifier?: string | undefined;
}

/** The group that a request names by logGroupName, or by logGroupIdentifier: a name or an ARN. */
export async function referencedGroup(
  reader: Reader,
  scope: Scope,
  { logGroupName, logGroupIdentifier }: GroupReference,
): Promise<LogGroupRow> {
  if (logGroupName !== undefined && logGroupIdentifier !== undefined)
    throw invalidParameter("LogGroupName and LogGroupIdentifier cannot be specified at the same time.");
  if (logGroupIdentifier?.startsWith("arn:")) return requireGroupByArn(reader, scope, logGroupIdentifier);
  const name = logGroupName ?? logGroupIdentifier;
  if (name === undefined) throw invalidParameter("One of LogGroupName or LogGroupIdentifier must be specified.");
  return requireGroup(reader, scope, name);
}

export async function insertGroup(tx: Writer, row: LogGroupRow): Promise<void> {
  await tx.insertInto("log_groups").values(row).execute();
}

/** Names that begin with the prefix, as a range of the index. */
export const nameBeginsWith = (prefix: string): Expression<SqlBool> =>
  sql<SqlBool>`name >= ${prefix} and name < ${`${prefix}\u{10ffff}`}`;

/** Lines older than this are gone, whether or not they were swept already. ms since 1970. */
export const retentionFloor = (group: Pick<LogGroupRow, "retention_days">, now: Date): number =>
  group.retention_days === null ? 0 : now.getTime() - group.retention_days * 86_400_000;
