// Reads a typed value out of an XML element: https://smithy.io/2.0/spec/protocol-traits.html#xml-bindings
import type { AwsError } from "../lib/aws-error.ts";
import type { ListShape, MapShape, Member, Shape, StructureShape } from "../models/index.ts";
import { readScalar } from "./scalar-reader.ts";
import type { XmlElement } from "./xml.ts";

/** Elements of unknown names are ignored. Throws what `malformed` makes where a text is not of its shape's type. */
export function readXml(shape: Shape, element: XmlElement, malformed: () => AwsError): unknown {
  if (shape.type === "structure") return readStructure(shape, element, malformed);
  if (shape.type === "list") return readList(shape, element.children, malformed);
  if (shape.type === "map") return readMap(shape, element.children, malformed);
  if (element.children.length > 0) throw malformed();
  return readScalar(shape, element.text, malformed);
}

function readStructure(shape: StructureShape, element: XmlElement, malformed: () => AwsError): Record<string, unknown> {
  const byName = Map.groupBy(element.children, ({ name }) => name);
  const result: Record<string, unknown> = {};
  for (const member of shape.members.values()) {
    if (member.location !== "body") continue;
    const value = readMember(member, element, byName, malformed);
    if (value !== undefined) result[member.name] = value;
  }
  return result;
}

function readMember(
  member: Member,
  element: XmlElement,
  byName: ReadonlyMap<string, readonly XmlElement[]>,
  malformed: () => AwsError,
): unknown {
  const { shape, wireName } = member;
  if (member.isXmlAttribute) {
    const text = element.attributes.get(wireName);
    return text === undefined ? undefined : readScalar(shape, text, malformed);
  }
  if (member.isFlattened && shape.type === "list") {
    const items = byName.get(shape.member.hasWireName ? shape.member.wireName : wireName);
    return items?.map((item) => readXml(shape.member.shape, item, malformed));
  }
  const found = byName.get(wireName);
  if (!found) return undefined;
  if (member.isFlattened && shape.type === "map") return readEntries(shape, found, malformed);
  const [first] = found;
  return first && readXml(shape, first, malformed);
}

function readList(shape: ListShape, children: readonly XmlElement[], malformed: () => AwsError): unknown[] {
  return children
    .filter(({ name }) => name === shape.member.wireName)
    .map((item) => readXml(shape.member.shape, item, malformed));
}

const readMap = (
  shape: MapShape,
  children: readonly XmlElement[],
  malformed: () => AwsError,
): Record<string, unknown> =>
  readEntries(
    shape,
    children.filter(({ name }) => name === "entry"),
    malformed,
  );

function readEntries(
  shape: MapShape,
  entries: readonly XmlElement[],
  malformed: () => AwsError,
): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null);
  for (const { children } of entries) {
    const key = children.find(({ name }) => name === shape.key.wireName);
    const value = children.find(({ name }) => name === shape.value.wireName);
    if (!key || !value) throw malformed();
    result[key.text] = readXml(shape.value.shape, value, malformed);
  }
  return result;
}
