import * as fc from "fast-check";
import { expect, test } from "vitest";
import { escapeXml, parseXml } from "./xml.ts";

test("elements, attributes, character data and references are read", () => {
  const root = parseXml(
    '<?xml version="1.0"?>\n<!-- c --><s:A xmlns:s="u" b=\'1 &amp; "2"\'> x <B/><![CDATA[<y>]]>&#65;&#x1F600;&lt;<B>t</B></s:A>\n',
  );
  expect(root?.name).toBe("A");
  expect(root?.attributes.get("b")).toBe('1 & "2"');
  expect(root?.text).toBe(" x <y>A\u{1F600}<");
  expect(root?.children.map(({ name, text }) => [name, text])).toEqual([
    ["B", ""],
    ["B", "t"],
  ]);
});

test.each([
  ["nothing", ""],
  ["text alone", "abc"],
  ["an element that is not closed", "<a><b></b>"],
  ["elements closed in the wrong order", "<a><b></a></b>"],
  ["two roots", "<a/><b/>"],
  ["a document type", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
  ["an unknown entity", "<a>&x;</a>"],
  ["a bare ampersand", "<a>&</a>"],
  ["a character beyond Unicode", "<a>&#x110000;</a>"],
  ["text behind the root", "<a/>x"],
  ["nesting without end", "<a>".repeat(100_000)],
  ["a comment without end", `<a>${"<!--".repeat(50_000)}`],
])("%s is no document", (_what, text) => {
  expect(parseXml(text)).toBeUndefined();
});

test("escaped text is read back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(parseXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`)?.text).toBe(text);
    }),
  );
});
