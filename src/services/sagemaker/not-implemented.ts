// What a request may ask for on AWS and not here yet: refused by the member's name, never silently ignored.
import { validationError, type AwsError } from "../../lib/aws-error.ts";

export const notImplemented = (member: string): AwsError =>
  validationError(`${member} is not implemented by Salvia yet.`);

/** A member, and whether this request asks for what it does. */
export type SupportCheck<Value> = readonly [member: string, asksFor: (value: Value) => unknown];

/** Throws for the first check that says yes. */
export function refuseUnsupported<Value>(value: Value, checks: readonly SupportCheck<Value>[], where = ""): void {
  const asked = checks.find(([, asksFor]) => Boolean(asksFor(value)));
  if (asked) throw notImplemented(`${where}${asked[0]}`);
}
