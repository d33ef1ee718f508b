// The client's side of every protocol, for tests: encodes an input as a request. It is written apart from the readers, and
// forgiving: a value that is not of its shape's type is sent as it is, so that spoiled inputs reach the server.
import { cbor, dateToTag } from "@smithy/core/cbor";
import type { MapShape, Member, OperationModel, ProtocolName, Shape, StructureShape } from "../models/index.ts";
import type { WireRequest } from "./protocol.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A request for the operation, as a client of this protocol would send it; the signature is made up. */
export function encodeRequest(operation: OperationModel, protocol: ProtocolName, input: unknown): WireRequest {
  const { service, name } = operation;
  const scope = `Credential=AKID/20260101/us-east-1/${service.signingName}/aws4_request`;
  const signed = { authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0` };
  const post = { method: "POST", rawPath: "/", rawQuery: "" };
  if (protocol === "json") {
    const headers = { ...signed, "x-amz-target": `${service.targetPrefix}.${name}` };
    return { ...post, headers, body: bytes(JSON.stringify(jsonValue(operation.input, input))) };
  }
  if (protocol === "smithy-rpc-v2-cbor") {
    const rawPath = `/service/${service.targetPrefix}/operation/${name}`;
    const headers = { ...signed, "smithy-protocol": "rpc-v2-cbor" };
    return { ...post, rawPath, headers, body: cbor.serialize(cborValue(operation.input, input)) };
  }
  if (protocol === "query") {
    const form = new URLSearchParams({ Action: name, Version: service.apiVersion });
    addToForm(form, "", operation.input, input);
    const headers = { ...signed, "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    return { ...post, headers, body: bytes(form.toString()) };
  }
  return restRequest(operation, protocol, isFields(input) ? input : {}, signed);
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Uint8Array);

/** Renames members to their names on the wire and turns leaves with `leaf`. */
function mapped(shape: Shape, value: unknown, leaf: (value: unknown, shape: Shape) => unknown): unknown {
  if (shape.type === "list" && Array.isArray(value)) {
    return value.map((item: unknown) => mapped(shape.member.shape, item, leaf));
  }
  if (!isFields(value)) return leaf(value, shape);
  const result: Record<string, unknown> = Object.create(null);
  for (const [name, item] of Object.entries(value)) {
    const member = shape.type === "structure" ? shape.members.get(name) : undefined;
    const inner = member?.shape ?? (shape.type === "map" ? shape.value.shape : undefined);
    result[member?.wireName ?? name] = inner ? mapped(inner, item, leaf) : item;
  }
  return result;
}

const jsonValue = (shape: Shape, value: unknown): unknown =>
  mapped(shape, value, (leaf, { type }) => {
    if (leaf instanceof Date) return leaf.getTime() / 1000;
    return type === "blob" && leaf instanceof Uint8Array ? Buffer.from(leaf).toString("base64") : leaf;
  });

const cborValue = (shape: Shape, value: unknown): unknown =>
  mapped(shape, value, (leaf) => (leaf instanceof Date ? dateToTag(leaf) : leaf));

function text(value: unknown, dateForm: "iso" | "http" = "iso"): string {
  if (value instanceof Date) return dateForm === "iso" ? value.toISOString() : value.toUTCString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function addToForm(form: URLSearchParams, prefix: string, shape: Shape, value: unknown): void {
  if (shape.type === "structure" && isFields(value)) return addMembers(form, prefix, shape, value);
  if (shape.type === "list" && Array.isArray(value)) {
    const start = shape.isFlattened ? prefix : `${prefix}.${shape.member.wireName}`;
    if (value.length === 0) form.append(prefix, "");
    for (const [index, item] of value.entries()) addToForm(form, `${start}.${index + 1}`, shape.member.shape, item);
    return undefined;
  }
  if (shape.type !== "map" || !isFields(value)) return form.append(prefix, text(value));
  if (Object.keys(value).length === 0) form.append(prefix, "");
  return addEntries(form, shape.isFlattened ? prefix : `${prefix}.entry`, shape, value);
}

function addMembers(form: URLSearchParams, prefix: string, { members }: StructureShape, value: Fields): void {
  const start = prefix === "" ? "" : `${prefix}.`;
  for (const [name, item] of Object.entries(value)) {
    const member = members.get(name);
    if (member) addToForm(form, start + member.wireName, member.shape, item);
    else form.append(start + name, text(item));
  }
}

function addEntries(form: URLSearchParams, start: string, { key, value: member }: MapShape, value: Fields): void {
  for (const [index, [name, item]] of Object.entries(value).entries()) {
    form.append(`${start}.${index + 1}.${key.wireName}`, name);
    addToForm(form, `${start}.${index + 1}.${member.wireName}`, member.shape, item);
  }
}

function restRequest(
  operation: OperationModel,
  protocol: ProtocolName,
  input: Fields,
  signed: WireRequest["headers"],
): WireRequest {
  const [template = "", literals = ""] = operation.http.requestUri.split("?");
  const query = literals === "" ? [] : [literals];
  const headers: Record<string, string> = { ...signed };
  const members = [...operation.input.members.values()];
  for (const member of members) addToHead(member, input[member.name], headers, query);
  const rawPath = template.replaceAll(/\{([^}+]+)(\+?)\}/g, (_all, label: string, greedy: string) => {
    const member = members.find(({ location, wireName }) => location === "uri" && wireName === label);
    const encoded = encodeURIComponent(text(input[member?.name ?? label] ?? "missing"));
    return greedy === "" ? encoded : encoded.replaceAll("%2F", "/");
  });
  const head = { method: operation.http.method, rawPath, rawQuery: query.join("&"), headers };
  return { ...head, body: restBody(operation, protocol, input) };
}

function addToHead(
  { shape, location, wireName }: Member,
  value: unknown,
  headers: Record<string, string>,
  query: string[],
): void {
  if (value === undefined || value === null) return;
  const items: readonly unknown[] = shape.type === "list" && Array.isArray(value) ? value : [value];
  if (location === "querystring") {
    for (const item of items) query.push(`${encodeURIComponent(wireName)}=${encodeURIComponent(text(item))}`);
  }
  if (location === "header") headers[wireName.toLowerCase()] = items.map((item) => text(item, "http")).join(",");
  if (location === "headers" && isFields(value)) {
    for (const [name, item] of Object.entries(value)) headers[`${wireName}${name}`.toLowerCase()] = text(item);
  }
}

function restBody({ input: shape, inputWrapper }: OperationModel, protocol: ProtocolName, input: Fields): Uint8Array {
  const { payload } = shape;
  if (payload) {
    const value = input[payload.name];
    if (value === undefined || value === null) return new Uint8Array();
    if (value instanceof Uint8Array) return value;
    if (typeof value === "string" && payload.shape.type === "string") return bytes(value);
    return protocol === "rest-json"
      ? bytes(JSON.stringify(jsonValue(payload.shape, value)))
      : bytes(element(payload.wireName, payload.shape, value));
  }
  const names = new Map([...shape.members.values()].map((member) => [member.name, member.location]));
  const inBody = Object.fromEntries(Object.entries(input).filter(([name]) => (names.get(name) ?? "body") === "body"));
  if (Object.keys(inBody).length === 0) return new Uint8Array();
  return bytes(
    protocol === "rest-json"
      ? JSON.stringify(jsonValue(shape, inBody))
      : element(inputWrapper ?? shape.name, shape, inBody),
  );
}

const escaped = (value: string): string =>
  value.replaceAll(/[&<>"\r\n]/g, (character) => `&#${character.charCodeAt(0)};`).replaceAll("\0", "");

/** One XML element, or several for a flattened list. */
function element(name: string, shape: Shape, value: unknown, member?: Member): string {
  if (shape.type === "list" && Array.isArray(value)) {
    const itemName = member?.isFlattened && !shape.member.hasWireName ? name : shape.member.wireName;
    const items = value.map((item: unknown) => element(itemName, shape.member.shape, item)).join("");
    return member?.isFlattened ? items : `<${name}>${items}</${name}>`;
  }
  if (!isFields(value)) return `<${name}>${escaped(text(value))}</${name}>`;
  const members = shape.type === "structure" ? shape.members : new Map<string, Member>();
  const attributes = Object.entries(value).map(([key, item]) => attribute(members.get(key), item));
  const content = Object.entries(value).map(([key, item]) => child(members.get(key), item));
  return `<${name}${attributes.join("")}>${content.join("")}</${name}>`;
}

const attribute = (member: Member | undefined, value: unknown): string =>
  member?.isXmlAttribute ? ` xmlns:xsi="http://x" ${member.wireName}="${escaped(text(value))}"` : "";

function child(member: Member | undefined, value: unknown): string {
  if (!member) return `<Unheard>${escaped(text(value))}</Unheard>`;
  return member.isXmlAttribute ? "" : element(member.wireName, member.shape, value, member);
}
