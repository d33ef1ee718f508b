import * as fc from "fast-check";
import { resolve, sep } from "node:path";
import { expect, test } from "vitest";
import { checkTogether, inside, StageError } from "./planned-path.ts";

test.each([
  ["", "the name is empty"],
  ["/etc/passwd", "the path is absolute"],
  ["a/../../b", 'the path has the part ".."'],
  ["..", 'the path has the part ".."'],
  ["a//b", 'the path has the part ""'],
  ["a/", 'the path has the part ""'],
  ["./a", 'the path has the part "."'],
  ["a\0b", "the name has a NUL character"],
  ["x".repeat(256), "a name is longer than 255 bytes"],
  ["é".repeat(128), "a name is longer than 255 bytes"],
  ["ab/".repeat(1_400), "the path is longer than 4095 bytes"],
])("%j cannot be a file: %s", (path, why) => {
  expect(() => inside("/folder", path)).toThrow(StageError);
  expect(() => inside("/folder", path)).toThrow(why);
});

test("whatever the path, a file lies under its folder or is refused", () => {
  const part = fc.oneof(fc.constantFrom("..", ".", "", "a", "...", "~", "\\..", "é"), fc.string());
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      try {
        expect(resolve(inside("/folder", parts.join("/"))).startsWith(`/folder${sep}`)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(StageError);
      }
    }),
  );
});

test("a path that is needed as a file and as a folder is named", () => {
  expect(() => checkTogether(["x/y/z", "a", "x/y"])).toThrow('"x/y" is both a file and the folder of "x/y/z"');
  expect(() => checkTogether(["a", "a"])).toThrow('"a" is there twice');
  checkTogether(["a", "ab/c", "a.b/c"]);
});
