// A small strict XML reader and the escaping for writers. No document types, hence no entities of the caller's own: nothing
// expands, nothing is fetched. https://www.w3.org/TR/xml/
import { maxDepth } from "./value-reader.ts";

export interface XmlElement {
  /** Without its namespace prefix. */
  readonly name: string;
  /** Names with their prefix, as written. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All character data directly inside, white space included. */
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly fullName: string;
  readonly children: XmlElement[];
  text: string;
}

// Sticky, and without nested quantifiers: each runs in linear time.
const skipped = /<\?[\s\S]*?\?>|<!--[\s\S]*?-->/y;
const cdata = /<!\[CDATA\[([\s\S]*?)\]\]>/y;
const closing = /<\/([^\s<>/&]+)\s*>/y;
const opening = /<([^\s<>/&!?"'=]+)/y;
const attribute = /\s+([^\s<>/&"'=]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const openingEnd = /\s*(\/?)>/y;
const reference = /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos));|&/g;

const namedCharacters: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

class NotXml extends Error {}

/** The document's root element; undefined if the text is not well-formed, uses a document type, or nests too deeply. */
export function parseXml(text: string): XmlElement | undefined {
  try {
    return new Reader(text).read();
  } catch (error) {
    if (error instanceof NotXml) return undefined;
    throw error;
  }
}

class Reader {
  readonly #text: string;
  readonly #open: OpenElement[] = [];
  #root: XmlElement | undefined;
  #at = 0;

  constructor(text: string) {
    this.#text = text.startsWith("\uFEFF") ? text.slice(1) : text;
  }

  read(): XmlElement {
    while (this.#at < this.#text.length) {
      const next = this.#text.indexOf("<", this.#at);
      const end = next < 0 ? this.#text.length : next;
      this.#characters(unescapeXml(this.#text.slice(this.#at, end)));
      this.#at = end;
      if (next >= 0) this.#markup();
    }
    if (!this.#root || this.#open.length > 0) throw new NotXml();
    return this.#root;
  }

  #markup(): void {
    if (this.#match(skipped)) return;
    const data = this.#match(cdata);
    if (data) {
      if (this.#open.length === 0) throw new NotXml();
      this.#characters(data[1] ?? "");
      return;
    }
    const close = this.#match(closing);
    if (close) {
      if (this.#open.pop()?.fullName !== close[1]) throw new NotXml();
      return;
    }
    this.#element();
  }

  #element(): void {
    const fullName = this.#match(opening)?.[1];
    if (fullName === undefined) throw new NotXml();
    const attributes = new Map<string, string>();
    for (let found = this.#match(attribute); found; found = this.#match(attribute)) {
      attributes.set(found[1] ?? "", unescapeXml(found[2] ?? found[3] ?? ""));
    }
    const end = this.#match(openingEnd);
    if (!end) throw new NotXml();
    const name = fullName.slice(fullName.indexOf(":") + 1);
    const element: OpenElement = { fullName, name, attributes, children: [], text: "" };
    const parent = this.#open.at(-1);
    if (parent) parent.children.push(element);
    else if (this.#root) throw new NotXml();
    else this.#root = element;
    if (end[1] === "") this.#open.push(element);
    if (this.#open.length > maxDepth) throw new NotXml();
  }

  #characters(text: string): void {
    const parent = this.#open.at(-1);
    if (parent) parent.text += text;
    else if (text.trim() !== "") throw new NotXml();
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }
}

function unescapeXml(text: string): string {
  const unix = text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
  if (!unix.includes("&")) return unix;
  return unix.replaceAll(reference, (_all, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return namedCharacters.get(name) ?? "";
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number(decimal);
    if (!(code <= 0x10ffff)) throw new NotXml();
    return String.fromCodePoint(code);
  });
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const special = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\u0085\u2028\ufffe\uffff]/g;

const escapes: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);

/** For text and attributes. Control characters, which XML 1.0 cannot hold, become references, as S3 writes them. */
export const escapeXml = (text: string): string =>
  text.replaceAll(special, (character) => escapes.get(character) ?? `&#x${character.charCodeAt(0).toString(16)};`);
