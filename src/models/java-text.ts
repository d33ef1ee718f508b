// Values as AWS prints them in validation messages, which is what Java's toString makes of them:
// lists [a, b], maps {k=v}, structures TypeName(memberA=1, memberB=null).
import type { Shape } from "./model.ts";

/** Longer values are cut in messages: a caller needs no megabyte back. */
const maxPrintedLength = 4096;

/** The value for a message; long texts are cut. */
export function javaText(shape: Shape, value: unknown): string {
  const text = print(shape, value);
  return text.length > maxPrintedLength ? `${text.slice(0, maxPrintedLength)}...` : text;
}

function print(shape: Shape, value: unknown): string {
  if (value === undefined || value === null) return "null";
  if (shape.isSensitive) return "*** Sensitive Data Redacted ***";
  if (Array.isArray(value) && shape.type === "list") {
    return `[${value.map((item: unknown) => print(shape.member.shape, item)).join(", ")}]`;
  }
  if (value instanceof Date) return javaDate(value);
  if (value instanceof Uint8Array) return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`;
  if (typeof value === "object") return printMembers(shape, new Map(Object.entries(value)));
  return printScalar(shape, value as string | number | boolean);
}

function printScalar({ type }: Shape, value: string | number | boolean): string {
  const isWhole = (type === "float" || type === "double") && Number.isInteger(value);
  return isWhole ? `${value}.0` : String(value);
}

function printMembers(shape: Shape, members: ReadonlyMap<string, unknown>): string {
  if (shape.type === "map") {
    return `{${[...members].map(([name, value]) => `${name}=${print(shape.value.shape, value)}`).join(", ")}}`;
  }
  if (shape.type !== "structure") return JSON.stringify(Object.fromEntries(members));
  const printed = [...shape.members.values()].map(
    (member) => `${decapitalize(member.name)}=${print(member.shape, members.get(member.name))}`,
  );
  return `${shape.name}(${printed.join(", ")})`;
}

/** How AWS spells a member in messages: TrainingJobName is trainingJobName. */
export const decapitalize = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** "Mon Nov 23 04:00:00 UTC 2026" */
function javaDate(date: Date): string {
  const [day = "", dayOfMonth = "", month = "", year = "", time = ""] = date.toUTCString().replace(",", "").split(" ");
  return `${day} ${month} ${dayOfMonth} ${time} UTC ${year}`;
}
