// After the program: its failure text, and its model and output as parts of the job's archives.
import { closeSync, constants, openSync, readSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { isFinalRefusal, untilItWorks, type Patience } from "./back-off.ts";
import { ServerRefusalError, type ServerConnection } from "./server-connection.ts";
import { listForPacking, packEntries, UnreadableFileError } from "./tar/pack-folder.ts";

export interface UploadOptions extends Patience {
  readonly root: string;
  readonly connection: ServerConnection;
  /** Something the user should know, as a line of the output. */
  tellUser(text: string): void;
}

/** A report must stay small however many files there are: the server refuses what is too large. */
const mostNames = 100;

export interface UploadResult {
  /** The first hundred names. */
  readonly modelFiles?: readonly string[];
  readonly outputFiles?: readonly string[];
  readonly uploadProblem?: string;
}

const longestFailure = 1_024;

/** First 1,024 characters of /opt/ml/output/failure; undefined when the program left none. */
export function readLastWords(root: string): string | undefined {
  const bytes = lastBytes(root, "failure");
  return bytes && firstCharacters(bytes.toString("utf8"));
}

/** First 1,024 characters of /opt/ml/output/message; undefined when the program left none. Throws NotUtf8Error. */
export function readExitMessage(root: string): string | undefined {
  const bytes = lastBytes(root, "message");
  if (!bytes) return undefined;
  try {
    // As a stream: the last character may be cut off.
    return firstCharacters(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true }));
  } catch (error) {
    throw new NotUtf8Error("ClientError: /opt/ml/output/message is not UTF-8.", { cause: error });
  }
}

/** The message is the job's FailureReason. */
export class NotUtf8Error extends Error {}

const firstCharacters = (text: string): string => Array.from(text).slice(0, longestFailure).join("");

/** Enough for the longest text, whatever its characters; undefined where there is no such file, or none that can be read. */
function lastBytes(root: string, name: "failure" | "message"): Buffer | undefined {
  try {
    const folder = realpathSync(join(root, "output"));
    if (!folder.startsWith(realpathSync(root) + sep)) return undefined;
    // The program is not trusted: no link to a file of the host, no FIFO to wait on.
    const file = openSync(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(longestFailure * 4);
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** `model`: always sends the part, even an empty one; only with files; or never. The output is sent when there is some. */
export async function uploadResults(
  model: "always" | "with-files" | "never",
  options: UploadOptions,
): Promise<UploadResult> {
  try {
    const modelFiles = model === "never" ? undefined : await uploadPart("model", model === "always", options);
    const outputFiles = await uploadPart("output", false, options);
    return { ...(modelFiles ? { modelFiles } : {}), ...(outputFiles ? { outputFiles } : {}) };
  } catch (error) {
    if (error instanceof ServerRefusalError || error instanceof UnreadableFileError)
      return { uploadProblem: error.message };
    throw error;
  }
}

async function uploadPart(
  part: "model" | "output",
  evenEmpty: boolean,
  options: UploadOptions,
): Promise<readonly string[] | undefined> {
  const folder = join(options.root, part === "model" ? "model" : "output/data");
  const { entries, leftOut } = await listForPacking(folder, options.root);
  for (const name of leftOut.slice(0, mostNames))
    options.tellUser(`[salvia] ${part}/${name} was left out of the archive: it is no file of this job`);
  const files = entries.filter((entry) => entry.kind !== "folder").map((entry) => entry.name);
  if (files.length === 0 && !evenEmpty) return undefined;
  await untilItWorks(
    `upload of ${part}`,
    options,
    () => options.connection.putPart(part, packEntries(entries), options.signal),
    (error) => isFinalRefusal(error) || error instanceof UnreadableFileError,
  );
  return files.slice(0, mostNames);
}
