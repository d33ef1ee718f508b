// Stores a file that a task made as an object, with the rights of the task's role.
import type { Readable } from "node:stream";
import { AwsError } from "../../../lib/aws-error.ts";
import type { SagemakerPlatform } from "../context.ts";
import { accessOf, bucketToWrite } from "../role-access.ts";
import { inFolder, s3Uri, type S3Uri } from "../s3-uri.ts";
import type { TaskRow } from "./task-owner.ts";

export interface FileAddress {
  readonly folder: S3Uri;
  /** Of the path below the folder, percent-encoded. */
  readonly segments: readonly string[];
  readonly roleArn: string;
  readonly task: TaskRow;
}

const longestKeyBytes = 1_024;

/** The path, or undefined for one that is no name below a folder. */
function pathOf(segments: readonly string[]): string | undefined {
  try {
    const names = segments.map(decodeURIComponent);
    const isBad =
      names.length === 0 || names.some((name) => name === "" || name === "." || name === ".." || /[/\0]/.test(name));
    return isBad ? undefined : names.join("/");
  } catch {
    return undefined; // Malformed percent-encoding.
  }
}

/** Undefined once the object is there; otherwise why it cannot be, for the user. */
export async function storeFile(
  { objects, roles }: Pick<SagemakerPlatform, "objects" | "roles">,
  { folder, segments, roleArn, task }: FileAddress,
  body: Readable,
): Promise<string | undefined> {
  const path = pathOf(segments);
  if (path === undefined) return 'A file\'s path has no empty parts, no "." and no "..".';
  const { bucket, key } = inFolder(folder, path);
  if (Buffer.byteLength(key) > longestKeyBytes) return `The key is longer than ${longestKeyBytes} bytes: ${key}`;
  const { owner, problem } = await bucketToWrite(
    accessOf(roles, roleArn, task.region),
    { bucket, key },
    s3Uri({ bucket, key }),
  );
  if (problem !== undefined) return problem;
  try {
    await objects.put(owner, bucket, key, body);
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return `${error.message}: s3://${bucket}/${key}`;
    throw error;
  }
}
