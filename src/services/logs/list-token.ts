// Opaque tokens of lists: the sort key of the last item, so that pages survive what is added between them.
import { invalidToken } from "./errors.ts";

export type Cursor = readonly (string | number)[];

export const tokenOf = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString("base64url");

/** Undefined without a token. Throws InvalidParameterException when it is not one of ours with these members. */
export function cursorOf(token: string | undefined, ...types: ("string" | "number")[]): Cursor | undefined {
  if (token === undefined) return undefined;
  const cursor = parsed(token);
  if (!Array.isArray(cursor) || cursor.length !== types.length) throw invalidToken();
  if (types.some((type, index) => typeof cursor[index] !== type)) throw invalidToken();
  return cursor as Cursor;
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw invalidToken();
  }
}
