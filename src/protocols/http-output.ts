// What the REST protocols put into headers: https://smithy.io/2.0/spec/http-bindings.html
import type { Member, OperationModel, Shape } from "../models/index.ts";
import { formatTimestamp } from "./timestamps.ts";
import { isRecord, wrongOutput } from "./value-writer.ts";
import { xmlText } from "./xml-writer.ts";

/** Headers for the output's members that are bound to them. */
export function outputHeaders(
  { output: shape }: OperationModel,
  output: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const member of shape.members.values()) {
    const value = output[member.name];
    if (value === undefined || value === null) continue;
    if (member.location === "header") headers[member.wireName.toLowerCase()] = headerText(member, value);
    if (member.location !== "headers" || !isRecord(value)) continue;
    for (const [name, text] of Object.entries(value)) {
      if (typeof text === "string") headers[`${member.wireName}${name}`.toLowerCase()] = safeHeader(text);
    }
  }
  return headers;
}

function headerText({ shape }: Member, value: unknown): string {
  if (shape.type !== "list") return safeHeader(scalarText(shape, value));
  if (!Array.isArray(value)) throw wrongOutput(shape, value);
  return safeHeader(value.map((item: unknown) => scalarText(shape.member.shape, item)).join(","));
}

function scalarText(shape: Shape, value: unknown): string {
  if (shape.type !== "timestamp") return xmlText(shape, value);
  if (!(value instanceof Date)) throw wrongOutput(shape, value);
  return formatTimestamp(value, shape.timestampFormat ?? "rfc822");
}

/** With bytes that came in as they are (lib/header-text.ts). */
const printable = /^[\t\x20-\x7e\x80-\xff\udc80-\udcff]*$/;

/** What a header cannot hold goes out as an RFC 2047 encoded word, as S3 does with metadata. */
export const safeHeader = (text: string): string =>
  printable.test(text) ? text : `=?UTF-8?B?${Buffer.from(text, "utf8").toString("base64")}?=`;
