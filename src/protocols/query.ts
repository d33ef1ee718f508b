// The query protocol of STS, IAM and older CloudWatch clients: a form in, XML out.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
import { AwsError } from "../lib/aws-error.ts";
import type { Member, Shape, StructureShape } from "../models/index.ts";
import { errorAnswer } from "./error-answer.ts";
import type { Protocol, WireRequest } from "./protocol.ts";
import { readScalar } from "./scalar-reader.ts";
import { maxDepth } from "./value-reader.ts";
import { decodeUtf8, parseQuery, type QueryPair } from "./wire-text.ts";
import { XmlWriters } from "./xml-writer.ts";
import { escapeXml } from "./xml.ts";

/** One dotted name's part: `Tags.member.1.Key=a` is Tags → member → 1 → Key with the text "a". */
interface FormNode {
  text: string | undefined;
  readonly children: Map<string, FormNode>;
}

export function createQuery(): Protocol {
  const xml = new XmlWriters();
  return {
    name: "query",

    parse: (operation, request) => readStructure(operation.input, formTree(formPairs(request)), 0),

    serialize: (operation, output, requestId) => {
      const { name, resultWrapper, service } = operation;
      const content = xml.content(operation.output, output ?? {});
      const result = resultWrapper === undefined ? content : `<${resultWrapper}>${content}</${resultWrapper}>`;
      const metadata = `<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata>`;
      return {
        status: 200,
        headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
        body: `<${name}Response${xmlns(service.xmlNamespace)}>${result}${metadata}</${name}Response>`,
      };
    },

    serializeError: (operation, error, requestId) => {
      const { code, status, blame } = errorAnswer(operation?.service, error, "query");
      const fields = Object.entries(error.fields).map(
        ([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`,
      );
      const detail = `<Type>${blame}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message>`;
      return {
        status,
        headers: { ...error.headers, "content-type": "text/xml", "x-amzn-requestid": requestId },
        body: `<ErrorResponse${xmlns(operation?.service.xmlNamespace)}><Error>${detail}${fields.join("")}</Error><RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`,
      };
    },
  };
}

const xmlns = (uri: string | undefined): string => (uri === undefined ? "" : ` xmlns="${escapeXml(uri)}"`);

/** The form's fields: of the query string first, then of the body. Throws MalformedQueryString. */
export function formPairs({ rawQuery, body }: Pick<WireRequest, "rawQuery" | "body">): readonly QueryPair[] {
  const form = decodeUtf8(body);
  const pairs = form === undefined ? undefined : parseQuery(form.trimEnd());
  const query = parseQuery(rawQuery);
  if (!pairs || !query) {
    throw new AwsError("MalformedQueryString", "The query string contains a syntax error.", { httpStatus: 404 });
  }
  return query.length === 0 ? pairs : [...query, ...pairs];
}

const newNode = (): FormNode => ({ text: undefined, children: new Map() });

function formTree(pairs: readonly QueryPair[]): FormNode {
  const root = newNode();
  for (const [name, text] of pairs) {
    const parts = name.split(".", maxDepth + 1);
    if (parts.length > maxDepth) throw malformed("A parameter is nested too deeply.");
    let node = root;
    for (const part of parts) {
      const child = node.children.get(part) ?? newNode();
      node.children.set(part, child);
      node = child;
    }
    node.text = text;
  }
  return root;
}

const malformed = (message: string): AwsError => new AwsError("MalformedInput", message);

function readStructure(shape: StructureShape, node: FormNode, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const member of shape.members.values()) {
    const child = node.children.get(member.wireName);
    if (!child) continue;
    const value = readValue(member, child, depth + 1);
    if (value !== undefined) result[member.name] = value;
  }
  return result;
}

function readValue(
  { shape, isFlattened }: Pick<Member, "shape" | "isFlattened">,
  node: FormNode,
  depth: number,
): unknown {
  if (depth > maxDepth) throw malformed("A parameter is nested too deeply.");
  if (shape.type === "structure") return readStructure(shape, node, depth);
  if (shape.type === "list") {
    const items = isFlattened ? node : node.children.get(shape.member.wireName);
    // `Tags=` is how clients say "an empty list".
    if (!items) return node.text === "" ? [] : undefined;
    return numbered(items).map((item) => readValue({ shape: shape.member.shape, isFlattened: false }, item, depth + 1));
  }
  if (shape.type !== "map") return readText(shape, node);
  const entries = isFlattened ? node : node.children.get("entry");
  if (!entries) return node.text === "" ? {} : undefined;
  return readMap(shape.key, shape.value, numbered(entries), depth + 1);
}

function readMap(key: Member, value: Member, entries: readonly FormNode[], depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null);
  for (const entry of entries) {
    const name = entry.children.get(key.wireName)?.text;
    const given = entry.children.get(value.wireName);
    if (name === undefined) throw malformed("A map entry has no key.");
    result[name] = given ? (readValue(value, given, depth) ?? null) : null;
  }
  return result;
}

/** Children named by numbers, in the order of those. */
function numbered(node: FormNode): FormNode[] {
  return [...node.children]
    .filter(([name]) => /^\d{1,9}$/.test(name))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child);
}

function readText(shape: Shape, { text }: FormNode): unknown {
  if (text === undefined) throw malformed("Start of structure or map found where not expected.");
  return readScalar(shape, text, (expected) => malformed(`STRING_VALUE can not be converted to ${expected}`));
}

/** The operation that the form asks for. */
export const actionOf = (pairs: readonly QueryPair[]): string | undefined =>
  pairs.find(([name]) => name === "Action")?.[1];

/** The model version that the form asks for, which tells services apart where nothing else does. */
export const versionOf = (pairs: readonly QueryPair[]): string | undefined =>
  pairs.find(([name]) => name === "Version")?.[1];
