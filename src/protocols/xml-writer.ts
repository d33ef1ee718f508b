// Compiles a shape into a closure that writes it as XML elements, for query answers and rest-xml bodies:
// https://smithy.io/2.0/spec/protocol-traits.html#xml-bindings
import type { ListShape, MapShape, Member, Shape, StructureShape, TimestampShape } from "../models/index.ts";
import { formatTimestamp } from "./timestamps.ts";
import { isRecord, wrongOutput } from "./value-writer.ts";
import { escapeXml } from "./xml.ts";

/** Writes a value as one element of the name (flattened lists and maps: as several). */
type WriteElement = (name: string, value: unknown) => string;

interface MemberWriter {
  readonly member: Member;
  readonly write: WriteElement;
}

/** Keeps what it compiled. Throws, when writing, if a value is not of its shape's type. */
export class XmlWriters {
  readonly #made = new Map<StructureShape, readonly MemberWriter[]>();

  /** The structure's members, without an element around them. */
  content(shape: StructureShape, value: unknown): string {
    if (!isRecord(value)) throw wrongOutput(shape, value);
    let text = "";
    for (const { member, write } of this.#membersOf(shape)) {
      const given = value[member.name];
      if (given !== undefined && given !== null) text += write(member.wireName, given);
    }
    return text;
  }

  /** One element. `name` and `attributes` (starting with a space) are written as they are. */
  element(shape: Shape, name: string, value: unknown, attributes = ""): string {
    const all = shape.type === "structure" ? attributesOf(shape, value, attributes) : attributes;
    return `<${name}${all}>${this.#inner(shape, value)}</${name}>`;
  }

  #membersOf(shape: StructureShape): readonly MemberWriter[] {
    const known = this.#made.get(shape);
    if (known) return known;
    const members: MemberWriter[] = [];
    this.#made.set(shape, members);
    for (const member of shape.members.values()) {
      if (member.location === "body" && !member.isXmlAttribute)
        members.push({ member, write: this.#memberWriter(member) });
    }
    return members;
  }

  #memberWriter(member: Member): WriteElement {
    const { shape } = member;
    if (member.isFlattened && shape.type === "list") {
      const name = shape.member.hasWireName ? shape.member.wireName : member.wireName;
      return (_name, value) => this.#items(shape, name, value);
    }
    if (member.isFlattened && shape.type === "map") return (name, value) => this.#entries(shape, name, value);
    const attributes = namespaceAttribute(member.xmlNamespace);
    return (name, value) => this.element(shape, name, value, attributes);
  }

  #inner(shape: Shape, value: unknown): string {
    if (shape.type === "structure") return this.content(shape, value);
    if (shape.type === "list") return this.#items(shape, shape.member.wireName, value);
    if (shape.type === "map") return this.#entries(shape, "entry", value);
    return escapeXml(xmlText(shape, value));
  }

  #items(shape: ListShape, name: string, value: unknown): string {
    if (!Array.isArray(value)) throw wrongOutput(shape, value);
    return value.map((item: unknown) => this.element(shape.member.shape, name, item)).join("");
  }

  #entries(shape: MapShape, name: string, value: unknown): string {
    if (!isRecord(value)) throw wrongOutput(shape, value);
    const { key, value: member } = shape;
    let text = "";
    for (const [each, given] of Object.entries(value)) {
      if (given === undefined || given === null) continue;
      const written = this.element(member.shape, member.wireName, given);
      text += `<${name}><${key.wireName}>${escapeXml(each)}</${key.wireName}>${written}</${name}>`;
    }
    return text;
  }
}

function attributesOf(shape: StructureShape, value: unknown, outer: string): string {
  let text = outer === "" ? namespaceAttribute(shape.xmlNamespace) : outer;
  for (const member of shape.members.values()) {
    const given = member.isXmlAttribute && isRecord(value) ? value[member.name] : undefined;
    if (given !== undefined && given !== null)
      text += ` ${member.wireName}="${escapeXml(xmlText(member.shape, given))}"`;
  }
  return text;
}

function namespaceAttribute(namespace: Member["xmlNamespace"]): string {
  if (!namespace) return "";
  const name = namespace.prefix === undefined ? "xmlns" : `xmlns:${namespace.prefix}`;
  return ` ${name}="${escapeXml(namespace.uri)}"`;
}

/** A scalar's text, unescaped: booleans as words, blobs as base64, timestamps as ISO 8601 unless the model says otherwise. */
export function xmlText(shape: Shape, value: unknown): string {
  if (shape.type === "timestamp") return timestampText(shape, value);
  if (shape.type === "blob" && value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  const expected = shape.type === "string" || shape.type === "boolean" ? shape.type : "number";
  if (typeof value !== expected) throw wrongOutput(shape, value);
  return String(value);
}

function timestampText(shape: TimestampShape, value: unknown): string {
  if (!(value instanceof Date)) throw wrongOutput(shape, value);
  return shape.timestampFormat === undefined ? millisecondText(value) : formatTimestamp(value, shape.timestampFormat);
}

/** XML bodies always show milliseconds on AWS ("2009-10-12T17:50:30.000Z"). */
const millisecondText = (date: Date): string => date.toISOString();
