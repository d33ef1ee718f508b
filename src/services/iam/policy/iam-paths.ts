// The paths of roles, users and groups belong to their ARNs, and operations name them without.
import type { Reader } from "../../../database/store.ts";
import type { NeededAccess } from "./operation-call.ts";

const pathless = /^arn:aws:iam::(\d{12}):(role|user|group)\/([^/]+)$/;
const tables = { role: "roles", user: "users", group: "user_groups" } as const;

async function withPath(read: Reader, access: NeededAccess): Promise<NeededAccess> {
  const [, account, kind, name] = (access.action.startsWith("iam:") && pathless.exec(access.resource)) || [];
  if (account === undefined || name === undefined || access.action === "iam:PassRole") return access;
  if (kind !== "role" && kind !== "user" && kind !== "group") return access;
  const row = await read
    .selectFrom(tables[kind])
    .select(["path", "name"])
    .where("account", "=", account)
    .where("name_key", "=", name.toLowerCase())
    .executeTakeFirst();
  return row ? { ...access, resource: `arn:aws:iam::${account}:${kind}${row.path}${row.name}` } : access;
}

/** With the stored path, where the principal is there. */
export const withPaths = (read: Reader, needed: readonly NeededAccess[]): Promise<readonly NeededAccess[]> =>
  needed.some(({ action }) => action.startsWith("iam:"))
    ? Promise.all(needed.map((access) => withPath(read, access)))
    : Promise.resolve(needed);
