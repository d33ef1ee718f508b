// Checkpoints: a folder of the job that is restored from S3 before its program starts and stored there while it runs (developer guide,
// "Use checkpoints in Amazon SageMaker"). All instances share the prefix, as on AWS: their files must have names of their own.
import type { ResourceRow } from "../../../database/resources.ts";
import type { CheckpointConfig } from "../../../models/generated/sagemaker.ts";
import type { PlannedChannel, PlanFailure } from "../../../task/channel-plan.ts";
import type { UploadFolder } from "../../../task/upload-folder.ts";
import type { PlannedFile } from "../channels/channel-planner.ts";
import { plannedObject } from "../channels/planned-object.ts";
import type { SagemakerPlatform } from "../context.ts";
import { accessOf, bucketToWrite } from "../role-access.ts";
import { inFolder, parseS3Uri, s3Uri, type S3Uri } from "../s3-uri.ts";
import type { TaskRow } from "../tasks/task-owner.ts";

export const checkpointName = "checkpoints";
const defaultPath = "/opt/ml/checkpoints";
const root = "/opt/ml/";

/** Below the task's root; undefined for a path outside of /opt/ml, or one that other things have. */
export function checkpointFolder({ LocalPath = defaultPath }: CheckpointConfig): string | undefined {
  const path = LocalPath.replace(/\/+$/, "");
  if (!path.startsWith(root)) return undefined;
  const parts = path.slice(root.length).split("/");
  const isBad = parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"));
  return isBad || ["input", "model", "output", "code"].includes(parts[0] ?? "") ? undefined : parts.join("/");
}

export function checkpointUploads(config: CheckpointConfig | undefined): readonly UploadFolder[] {
  const folder = config && checkpointFolder(config);
  return folder === undefined ? [] : [{ name: checkpointName, folder, mode: "Continuous" }];
}

export const checkpointAddress = (config: CheckpointConfig | undefined): S3Uri | undefined =>
  config && parseS3Uri(config.S3Uri);

/** As scripts find it: XGBoost's own container reads it. */
export const checkpointFile = (config: CheckpointConfig | undefined): Record<string, string> =>
  config === undefined
    ? {}
    : { "checkpointconfig.json": JSON.stringify({ S3Uri: config.S3Uri, LocalPath: config.LocalPath ?? defaultPath }) };

type Platform = Pick<SagemakerPlatform, "objects" | "roles">;

/** Why the job could not keep its checkpoints; better before it starts than after hours. */
export async function checkpointProblem(
  { roles }: Pick<Platform, "roles">,
  config: CheckpointConfig | undefined,
  { roleArn, region }: { readonly roleArn: string; readonly region: string },
): Promise<string | undefined> {
  const address = checkpointAddress(config);
  if (!address) return undefined;
  const { problem } = await bucketToWrite(accessOf(roles, roleArn, region), inFolder(address, "x"), s3Uri(address));
  return problem === undefined ? undefined : `ClientError: CheckpointConfig: ${problem}`;
}

export interface CheckpointedTask {
  readonly config: CheckpointConfig;
  readonly roleArn: string;
  readonly task: TaskRow;
  readonly owner: ResourceRow;
}

/** What is there now: a restarted attempt finds what the one before has stored. Pinned until the job ends. */
export async function checkpointChannel(
  { objects, roles }: Platform,
  { config, roleArn, task, owner }: CheckpointedTask,
): Promise<PlannedChannel | PlanFailure> {
  const address = checkpointAddress(config);
  const folder = checkpointFolder(config);
  if (!address || folder === undefined) throw new Error(`the job ${owner.name} has checkpoints without a place`);
  const prefix = inFolder(address, "").key;
  const access = accessOf(roles, roleArn, task.region);
  const { owner: account, problem } = await access.list(address.bucket, prefix);
  if (account === undefined || problem !== undefined)
    return {
      failureReason: `ClientError: The checkpoints cannot be listed: ${problem ?? "no such bucket"}: ${config.S3Uri}`,
    };
  const files: PlannedFile[] = [];
  for await (const { key, sizeBytes, blobId } of objects.list(account, address.bucket, prefix)) {
    const { problem: unreadable } = await access.read(address.bucket, key);
    if (unreadable !== undefined) return { failureReason: `ClientError: ${unreadable}: s3://${address.bucket}/${key}` };
    // Keys like folders hold nothing.
    if (!key.endsWith("/")) files.push({ path: key.slice(prefix.length), sizeBytes, blobId, key });
  }
  await objects.pin(owner.uid, files);
  const planned = files.map((file) => plannedObject(objects, task.key, file, false));
  return { name: checkpointName, mode: "File", folder, objects: planned };
}
