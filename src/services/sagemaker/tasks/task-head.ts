// What the tasks of all kinds begin with.
import { shapeOf } from "../../../compute/instance-types.ts";
import type { TaskSpec } from "../../../task/task.ts";
import type { SagemakerPlatform } from "../context.ts";
import type { TaskRow } from "./task-owner.ts";

/** Whose the task is, where its agent reports to, and what instance it is. */
export const taskHead = (
  { server }: Pick<SagemakerPlatform, "server">,
  { key, owner_uid: ownerUid, account, region, token }: TaskRow,
  instanceType: string,
): Pick<TaskSpec, "key" | "ownerUid" | "account" | "region" | "server" | "instance"> => ({
  key,
  ownerUid,
  account,
  region,
  server: { url: server.url(), token, ...(server.file === undefined ? {} : { file: server.file }) },
  instance: shapeOf(instanceType),
});

/** As SDKs and SageMaker's own toolkits look for it. */
export const regionVariables = (region: string): Record<string, string> => ({
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  SAGEMAKER_REGION: region,
});
