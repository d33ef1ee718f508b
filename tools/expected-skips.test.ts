import { expect, test } from "vitest";
import { mayBeSkipped } from "./expected-skips.ts";

test("where CI has installed what it needs, a skip that nobody expects is a failure", () => {
  expect(mayBeSkipped("docker (no engine answers)", true)).toBe(false);
  expect(mayBeSkipped("docker (no engine answers)", false)).toBe(true);
  expect(mayBeSkipped("AWS's own file is read (needs ../shared/data)", true)).toBe(true);
});
