import { expect, test } from "vitest";
import { escapeBytes, hasEscapedBytes, unescapeBytes } from "./header-text.ts";

test("bytes beyond ASCII survive as they are", () => {
  const latin1 = "Hello World\u00e9 \u0080\u00ff";
  const escaped = escapeBytes(latin1);
  expect([hasEscapedBytes(latin1), hasEscapedBytes(escaped)]).toEqual([false, true]);
  expect(unescapeBytes(escaped)).toBe(latin1);
  expect(JSON.parse(JSON.stringify(escaped))).toBe(escaped);
  expect(unescapeBytes("é \u{1F600}")).toBe("é \u{1F600}");
});
