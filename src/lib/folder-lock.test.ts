import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockFolder } from "./folder-lock.ts";

test("a folder has one holder at a time, and another after it lets go", () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const first = lockFolder(folder);
  expect(first).toBeDefined();
  expect(lockFolder(folder)).toBeUndefined();
  first?.release();
  const second = lockFolder(folder);
  expect(second).toBeDefined();
  second?.release();
});
