// Continuation tokens: opaque to callers; they say after which item the next page begins.
import { invalidArgument } from "../errors.ts";

const version = "1";

export const tokenAfter = (item: string): string => Buffer.from(`${version}${item}`).toString("base64url");

export function readToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(version) || tokenAfter(text.slice(version.length)) !== token) {
    throw invalidArgument("The continuation token provided is incorrect", "continuation-token", token);
  }
  return text.slice(version.length);
}
