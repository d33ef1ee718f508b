// Folders of this machine that stand for file systems (EFS, FSx for Lustre): those that the operator named, and nothing beside them.
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { errorCode } from "../../../lib/error-code.ts";
import type { FileSystemDataSource } from "../../../models/generated/sagemaker.ts";
import { InputDataError } from "./channel-planner.ts";

/** Folder by FileSystemId. */
export type FileSystems = ReadonlyMap<string, string>;

/** Why a request cannot have it. */
export function fileSystemProblem(fileSystems: FileSystems, source: FileSystemDataSource): string | undefined {
  const { FileSystemId: id, DirectoryPath: path } = source;
  if (!fileSystems.has(id))
    return `The file system "${id}" is not known here. \`salvia serve --file-system ${id}=FOLDER\` makes a folder of this machine one.`;
  const isBad =
    !path.startsWith("/") || path.includes("\0") || path.split("/").some((part) => part === ".." || part === ".");
  return isBad ? `The DirectoryPath "${path}" must begin with "/" and have no "." and no "..".` : undefined;
}

/** The folder as it is now, links followed as long as they stay inside. Throws InputDataError. */
export async function fileSystemFolder(fileSystems: FileSystems, source: FileSystemDataSource): Promise<string> {
  const problem = fileSystemProblem(fileSystems, source);
  if (problem !== undefined) throw new InputDataError(problem);
  const shown = `The directory "${source.DirectoryPath}" of the file system "${source.FileSystemId}"`;
  try {
    const root = await realpath(fileSystems.get(source.FileSystemId) ?? "");
    const folder = await realpath(join(root, source.DirectoryPath));
    if (folder !== root && !folder.startsWith(root + sep)) throw new InputDataError(`${shown} lies outside of it.`);
    if (!(await stat(folder)).isDirectory()) throw new InputDataError(`${shown} is no directory.`);
    return folder;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EACCES"].includes(errorCode(error) ?? ""))
      throw new InputDataError(`${shown} does not exist, or cannot be read.`);
    throw error;
  }
}
