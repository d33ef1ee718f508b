import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./lines.ts";

const textsOf = (lines: readonly Uint8Array[]): string[] => lines.map((line) => Buffer.from(line).toString());

test("lines come out whole, with either end, however the stream is cut, and know where they begin", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "é", " ", ",") });
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom("\n", "\r\n"), fc.integer({ min: 1, max: 5 }), (lines, end, size) => {
      const bytes = Buffer.from(lines.map((each) => each + end).join(""));
      const splitter = new LineSplitter("a.txt");
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size)
        found.push(...textsOf(splitter.push(bytes.subarray(at, at + size))));
      expect(found).toEqual(lines);
      expect(splitter.end()).toEqual([]);
      expect(splitter.lineOffset).toBe(bytes.length);
    }),
  );
});

test("a line without an end comes last", () => {
  const splitter = new LineSplitter("a.txt");
  expect(textsOf(splitter.push(Buffer.from("a\nb")))).toEqual(["a"]);
  expect(textsOf(splitter.end())).toEqual(["b"]);
});

test("a line over the limit is refused while it comes, with its number and place", () => {
  const splitter = new LineSplitter("a.txt", 4);
  splitter.push(Buffer.from("one\ntwo"));
  splitter.push(Buffer.from("2"));
  expect(() => splitter.push(Buffer.from("3"))).toThrow(
    "a.txt: line 2: the line is longer than the limit of 4 bytes (at byte 4)",
  );
  expect(() => new LineSplitter("a.txt", 4).push(Buffer.from("12345\n"))).toThrow("line 1");
});
