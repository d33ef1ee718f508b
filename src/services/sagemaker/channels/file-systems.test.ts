import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { FileSystemDataSource } from "../../../models/generated/sagemaker.ts";
import { fileSystemFolder, fileSystemProblem } from "./file-systems.ts";

const id = "fs-0123456789abcdef0";

function setUp() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "salvia-file-system-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const shared = join(folder, "shared");
  mkdirSync(join(shared, "data"), { recursive: true });
  mkdirSync(join(folder, "shared-not"));
  writeFileSync(join(shared, "file"), "");
  symlinkSync("data", join(shared, "inside"));
  symlinkSync("../shared-not", join(shared, "outside"));
  symlinkSync("loop", join(shared, "loop"));
  return { shared, fileSystems: new Map([[id, shared]]) };
}

const source = (DirectoryPath: string, FileSystemId = id): FileSystemDataSource => ({
  FileSystemId,
  DirectoryPath,
  FileSystemType: "EFS",
  FileSystemAccessMode: "ro",
});

test("a directory of a file system is a folder below the one that was named for it", async () => {
  const { shared, fileSystems } = setUp();
  expect(await fileSystemFolder(fileSystems, source("/"))).toBe(shared);
  expect(await fileSystemFolder(fileSystems, source("/data/"))).toBe(join(shared, "data"));
  expect(await fileSystemFolder(fileSystems, source("/inside"))).toBe(join(shared, "data"));
});

test.for([
  ["/outside", "lies outside of it"],
  ["/none", "does not exist"],
  ["/loop", "does not exist"],
  ["/file", "is no directory"],
  ["/file/below", "does not exist"],
  ["/../shared-not", 'no "."'],
  ["data", 'must begin with "/"'],
  ["/a\0b", 'no "."'],
] as const)("the directory %j is refused: %s", async ([path, why]) => {
  await expect(fileSystemFolder(setUp().fileSystems, source(path))).rejects.toThrow(why);
});

test("a file system that nobody named is refused with how to name it", () => {
  expect(fileSystemProblem(setUp().fileSystems, source("/", "fs-00000bad"))).toContain(
    "--file-system fs-00000bad=FOLDER",
  );
});
