// Which accounts there are. An account has its execution role, and keys.
import type { Reader } from "../../database/store.ts";

/** All of them, in no order. For rare questions: reads as many rows as there are roles and keys. */
export async function knownAccounts(reader: Reader): Promise<ReadonlySet<string>> {
  const roles = await reader.selectFrom("roles").select("account").distinct().execute();
  const keys = await reader.selectFrom("access_keys").select("account").distinct().execute();
  return new Set([...roles, ...keys].map(({ account }) => account));
}
