import { expect, test } from "vitest";
import { usedMemory } from "./docker-runner.ts";

test("files that a container has read are not its memory, under either version's name", () => {
  expect(usedMemory({ usage: 900, stats: { inactive_file: 600 } })).toBe(300);
  expect(usedMemory({ usage: 900, stats: { total_inactive_file: 500, inactive_file: 500 } })).toBe(400);
  expect(usedMemory({ usage: 900, stats: { total_inactive_file: 500 } })).toBe(400);
  expect(usedMemory({ usage: 900 })).toBe(900);
  expect(usedMemory(undefined)).toBe(0);
});
