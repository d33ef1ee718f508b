// What the REST protocols take from path, query and headers: https://smithy.io/2.0/spec/http-bindings.html
import type { AwsError } from "../lib/aws-error.ts";
import type { Member, OperationModel, Shape } from "../models/index.ts";
import type { WireRequest } from "./protocol.ts";
import { readScalar } from "./scalar-reader.ts";
import { parseTimestamp } from "./timestamps.ts";
import { uriPattern } from "./uri-pattern.ts";
import { decodePercent, parseQuery, type QueryPair } from "./wire-text.ts";

export interface InputErrors {
  /** Path or query cannot be decoded. */
  badUri(): AwsError;
  /** A text that is not of its member's type; `expected` is, e.g., "an Integer". */
  badValue(member: Member, expected: string, text: string): AwsError;
}

interface Parts {
  readonly headers: Readonly<Record<string, string>>;
  /** Raw texts by label name. */
  readonly labels: ReadonlyMap<string, string>;
  readonly query: readonly QueryPair[];
}

type ReadPart = (parts: Parts, into: Record<string, unknown>) => void;

/** Reads everything that is not in the body into a new object. */
export type ReadHttpInput = (request: WireRequest) => Record<string, unknown>;

/** Readers compiled when an operation is first seen, and kept. */
export function httpInputReaders(errors: InputErrors): (operation: OperationModel) => ReadHttpInput {
  const compiled = new Map<OperationModel, ReadHttpInput>();
  return (operation) => {
    const known = compiled.get(operation);
    if (known) return known;
    const reader = httpInputReader(operation, errors);
    compiled.set(operation, reader);
    return reader;
  };
}

function httpInputReader(operation: OperationModel, errors: InputErrors): ReadHttpInput {
  const pattern = uriPattern(operation.http.requestUri);
  const readers: ReadPart[] = [];
  for (const member of operation.input.members.values()) {
    const reader = partReader(member, errors);
    if (reader) readers.push(reader);
  }
  return ({ rawPath, rawQuery, headers }) => {
    const found = pattern.path.exec(rawPath);
    const labels = new Map(pattern.labels.map((label, i) => [label, found?.[i + 1] ?? ""]));
    const query = parseQuery(rawQuery);
    if (!query) throw errors.badUri();
    const input: Record<string, unknown> = {};
    for (const read of readers) read({ headers, labels, query }, input);
    return input;
  };
}

function partReader(member: Member, errors: InputErrors): ReadPart | undefined {
  const { location } = member;
  if (location === "uri") return labelReader(member, errors);
  if (location === "querystring") return queryReader(member, errors);
  if (location === "header") return headerReader(member, errors);
  return location === "headers" ? prefixedHeadersReader(member) : undefined;
}

function labelReader(member: Member, errors: InputErrors): ReadPart {
  const read = scalarReader(member, errors);
  return ({ labels }, into) => {
    const text = decodePercent(labels.get(member.wireName) ?? "");
    if (text === undefined) throw errors.badUri();
    into[member.name] = read(member.shape, text);
  };
}

function queryReader(member: Member, errors: InputErrors): ReadPart {
  const read = scalarReader(member, errors);
  const { shape, name, wireName } = member;
  return ({ query }, into) => {
    const texts = query.filter(([given]) => given === wireName).map(([, text]) => text);
    const [first] = texts;
    if (first === undefined) return;
    into[name] = shape.type === "list" ? texts.map((text) => read(shape.member.shape, text)) : read(shape, first);
  };
}

function headerReader(member: Member, errors: InputErrors): ReadPart {
  const read = scalarReader(member, errors);
  const { shape, name } = member;
  const header = member.wireName.toLowerCase();
  return ({ headers }, into) => {
    const text = headers[header];
    if (text === undefined || !Object.hasOwn(headers, header)) return;
    if (shape.type === "list")
      into[name] = splitList(shape.member.shape, text).map((item) => read(shape.member.shape, item));
    else if (text !== "" || shape.type === "string") into[name] = read(shape, text);
  };
}

function prefixedHeadersReader({ name, wireName }: Member): ReadPart {
  const prefix = wireName.toLowerCase();
  return ({ headers }, into) => {
    const found: Record<string, string> = Object.create(null);
    let isEmpty = true;
    for (const [header, text] of Object.entries(headers)) {
      if (!header.startsWith(prefix)) continue;
      found[header.slice(prefix.length)] = text;
      isEmpty = false;
    }
    if (!isEmpty) into[name] = found;
  };
}

/** HTTP dates hold a comma of their own. */
function splitList(shape: Shape, text: string): string[] {
  if (shape.type === "timestamp" && parseTimestamp(text)) return [text];
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

const scalarReader =
  (member: Member, errors: InputErrors) =>
  (shape: Shape, text: string): unknown =>
    readScalar(shape, text, (expected) => errors.badValue(member, expected, text));
