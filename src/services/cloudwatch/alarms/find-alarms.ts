// The alarms of one account and region, page by page in order of name.
import type { RequestContext } from "../../service.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { alarm, type Alarm } from "./alarm.resource.ts";

const batchRows = 200;

/** Behind the given place, those that match. */
export async function* findAlarms(
  ctx: RequestContext,
  matches: (alarm: Alarm) => boolean,
  behind?: Place,
): AsyncGenerator<Alarm> {
  let after = behind;
  for (;;) {
    const page = { filter: {}, sortBy: "name", descending: false, limit: batchRows, after } as const;
    const alarms = await ctx.resources.page(alarm, page);
    for (const found of alarms) if (matches(found)) yield found;
    const last = alarms.at(-1);
    if (!last || alarms.length < batchRows) return;
    after = placeOf(last);
  }
}

export interface Place {
  readonly value: string;
  readonly uid: string;
}

export const placeOf = ({ name, uid }: Alarm): Place => ({ value: name, uid });

export const tokenOf = (parts: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString("base64url");

/** The two parts of a token; throws InvalidNextToken. */
export function partsOf(token: string): readonly [string | number, string] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (Array.isArray(parts) && parts.length === 2) {
      const [first, second] = parts as unknown[];
      if ((typeof first === "string" || typeof first === "number") && typeof second === "string")
        return [first, second];
    }
  } catch {
    // Told below, in the caller's words.
  }
  throw new AwsError("InvalidNextToken", "The next token specified is invalid.");
}
