// Users, groups and roles as what policies belong to: found by name, whatever they are.
import type { Reader } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";

export type OwnerKind = "user" | "group" | "role";

export interface Owner {
  readonly kind: OwnerKind;
  readonly uid: string;
  readonly name: string;
  readonly path: string;
}

type Found = Omit<Owner, "kind">;

function findOwner(db: Reader, kind: OwnerKind, account: string, name: string): Promise<Found | undefined> {
  const key = name.toLowerCase();
  const table = kind === "user" ? "users" : kind === "group" ? "user_groups" : "roles";
  return db
    .selectFrom(table)
    .select(["uid", "name", "path"])
    .where("account", "=", account)
    .where("name_key", "=", key)
    .executeTakeFirst();
}

export const noSuchOwner = (kind: OwnerKind, name: string): AwsError =>
  new AwsError("NoSuchEntity", `The ${kind} with name ${name} cannot be found.`);

/** Throws NoSuchEntity. */
export async function ownerNamed(db: Reader, kind: OwnerKind, account: string, name: string): Promise<Owner> {
  const found = await findOwner(db, kind, account, name);
  if (!found) throw noSuchOwner(kind, name);
  return { ...found, kind };
}

/** arn:aws:iam::ACCOUNT:KIND/PATH/NAME */
export const iamArn = (
  kind: OwnerKind | "policy" | "instance-profile",
  { account, path, name }: { readonly account: string; readonly path: string; readonly name: string },
): string => `arn:aws:iam::${account}:${kind}${path}${name}`;
