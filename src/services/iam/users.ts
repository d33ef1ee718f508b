// Rows of users, found by name.
import { AwsError } from "../../lib/aws-error.ts";
import type { Reader } from "../../database/store.ts";
import type { UsersTable } from "../../database/tables/identity.ts";
import type { Caller } from "../service.ts";
import { noSuchOwner } from "./owners.ts";

export type UserRow = UsersTable;

export const findUser = (db: Reader, account: string, name: string): Promise<UserRow | undefined> =>
  db
    .selectFrom("users")
    .selectAll()
    .where("account", "=", account)
    .where("name_key", "=", name.toLowerCase())
    .executeTakeFirst();

/** Throws NoSuchEntity. */
export async function userNamed(db: Reader, account: string, name: string): Promise<UserRow> {
  const user = await findUser(db, account, name);
  if (!user) throw noSuchOwner("user", name);
  return user;
}

/** The name in a user's ARN; undefined for root and sessions. */
export const userNameOf = (arn: string): string | undefined => /:user\/(?:.*\/)?([^/]+)$/.exec(arn)?.[1];

/** Of operations on oneself that name nobody. Root has no name here: its ARN is its own. */
export function nameOrOwn(given: string | undefined, caller: Caller): string | undefined {
  if (given !== undefined) return given;
  if (caller.arn.endsWith(":root")) return undefined;
  const own = userNameOf(caller.arn);
  if (own === undefined) {
    throw new AwsError("ValidationError", "Must specify userName when calling with non-User credentials");
  }
  return own;
}
