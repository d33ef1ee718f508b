import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyJsonPath, parseJsonPath } from "./json-path.ts";

const row = ["7", "a", "b", "c"];
const record = { id: 1, features: [10, 20, 30], deep: { label: "x", "odd name": 2 } };

test.each([
  ["$", row, row],
  ["$[0]", row, "7"],
  ["$[-1]", row, "c"],
  ["$[0,-1]", row, ["7", "c"]],
  ["$[1:]", row, ["a", "b", "c"]],
  ["$[:2]", row, ["7", "a"]],
  ["$[1:3]", row, ["a", "b"]],
  ["$[-2:]", row, ["b", "c"]],
  ["$[9]", row, undefined],
  ["$[0,9]", row, ["7"]],
  ["$.id", record, 1],
  ["$.features[1]", record, 20],
  ["$['id','features']", record, { id: 1, features: [10, 20, 30] }],
  [`$.deep["odd name"]`, record, 2],
  ["$.deep.*", record, ["x", 2]],
  ["$.features[*]", record, [10, 20, 30]],
  ["$.none", record, undefined],
  ["$.constructor", record, undefined],
  ["$.id.more", record, undefined],
])("%s of %j is %j", (path, value, expected) => {
  expect(applyJsonPath(parseJsonPath(path), value)).toEqual(expected);
});

test.each(["", "features", "$.", "$[", "$[a]", "$..x", "$[?(@.x)]", "$[1:2:3]", "$['a]", "$ ", `$${".a".repeat(40)}`])(
  "%j is refused",
  (path) => {
    expect(() => parseJsonPath(path)).toThrow(/no JSONPath/);
  },
);

test("whatever the text, it is parsed at once or refused", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("$", "[", "]", "'", "\\", ".", ",", "a", "1", "-", ":", "*"), maxLength: 63 }),
      (text) => {
        try {
          applyJsonPath(parseJsonPath(text), [{ a: [1] }]);
        } catch (error) {
          expect(String(error)).toContain("no JSONPath");
        }
      },
    ),
  );
});
