import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { volumePercent, folderBytes, volumeText } from "./disk-use.ts";

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a folder takes what its files take on the disk: holes are free, links are not followed", async () => {
  const folder = emptyFolder();
  mkdirSync(join(folder, "a/b"), { recursive: true });
  const before = await folderBytes(folder);
  writeFileSync(join(folder, "a/b/big"), Buffer.alloc(1_048_576, 1));
  writeFileSync(join(folder, "hole"), "");
  truncateSync(join(folder, "hole"), 2 ** 30);
  symlinkSync("/usr", join(folder, "a/link"));
  const taken = (await folderBytes(folder)) - before;
  expect(taken).toBeGreaterThanOrEqual(1_048_576);
  expect(taken).toBeLessThan(1_200_000);
});

test("a folder that is gone takes nothing", async () => {
  expect(await folderBytes(join(emptyFolder(), "gone"))).toBe(0);
});

test("usage is a share of the volume, or of the disk", () => {
  expect(volumePercent("/", 2 ** 29, 2 ** 30)).toBe(50);
  const ofDisk = volumePercent(emptyFolder(), 2 ** 20, undefined);
  expect(ofDisk).toBeGreaterThan(0);
  expect(ofDisk).toBeLessThan(100);
});

test("sizes of volumes read as they were asked for", () => {
  expect([2 ** 30, 50 * 2 ** 30, 1.5 * 2 ** 30, 300 * 2 ** 20].map(volumeText)).toEqual([
    "1 GB",
    "50 GB",
    "1.5 GB",
    "300 MB",
  ]);
});
