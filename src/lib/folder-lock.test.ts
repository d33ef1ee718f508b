import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockFolder } from "./folder-lock.ts";

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("holders that share a folder keep out one that wants it alone, and the other way round", () => {
  const folder = folderForTest();
  const shared = [lockFolder(folder, "lock.db", "shared"), lockFolder(folder, "lock.db", "shared")];
  expect(shared.every((lock) => lock !== undefined)).toBe(true);
  shared[0]?.release();
  expect(lockFolder(folder)).toBeUndefined();
  shared[1]?.release();
  const alone = lockFolder(folder);
  expect(alone).toBeDefined();
  expect(lockFolder(folder, "lock.db", "shared")).toBeUndefined();
  alone?.release();
});

test("a folder has one holder at a time, and another after it lets go", () => {
  const folder = folderForTest();
  const first = lockFolder(folder);
  expect(first).toBeDefined();
  expect(lockFolder(folder)).toBeUndefined();
  first?.release();
  const second = lockFolder(folder);
  expect(second).toBeDefined();
  second?.release();
});
