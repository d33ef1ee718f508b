// Pages of lists: the token names the last item that was shown, so that pages survive what comes and goes between them.
import { invalidToken } from "./errors.ts";

interface Paging {
  readonly nextToken?: string | undefined;
  readonly maxResults?: number | undefined;
}

export const afterOf = ({ nextToken }: Paging): string | undefined => {
  if (nextToken === undefined) return undefined;
  const after = Buffer.from(nextToken, "base64url").toString("utf8");
  // Anything else would be answered with a page of somewhere.
  if (Buffer.from(after, "utf8").toString("base64url") !== nextToken) throw invalidToken();
  return after;
};

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

/** `found` holds up to one item more than the page does, in the order of their keys. */
export function pageOf<T>(found: readonly T[], size: number, keyOf: (item: T) => string): Page<T> {
  const items = found.slice(0, size);
  const last = items.at(-1);
  if (found.length <= size || last === undefined) return { items };
  return { items, nextToken: Buffer.from(keyOf(last), "utf8").toString("base64url") };
}
