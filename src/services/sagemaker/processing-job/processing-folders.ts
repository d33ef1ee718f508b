// Where the inputs and outputs of a processing job lie: LocalPath, below /opt/ml/processing.
import type { ProcessingInput } from "../../../models/generated/sagemaker.ts";

const root = "/opt/ml/";
const base = "/opt/ml/processing";

/** Below the task's root, "/"-separated; undefined for a path that is not below /opt/ml/processing. */
export function processingFolder(localPath: string): string | undefined {
  const path = localPath.replace(/\/+$/, "");
  if (path !== base && !path.startsWith(`${base}/`)) return undefined;
  const parts = path.slice(root.length).split("/");
  return parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"))
    ? undefined
    : parts.join("/");
}

/** Whether an input comes through FIFOs: its LocalPath with _0, _1 and so on behind it, as a channel of a training job. */
export const isPiped = ({ S3Input }: ProcessingInput): boolean => S3Input?.S3InputMode === "Pipe";

/** Where an input lies below the task's root. */
export const inputFolder = ({ InputName, S3Input }: ProcessingInput): string =>
  processingFolder(S3Input?.LocalPath ?? "") ?? `processing/${InputName}`;
