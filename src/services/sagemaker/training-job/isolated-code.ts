// The code of a training script without a network: the script runner has no way to S3, so the agent brings what
// sagemaker_submit_directory names, to where python/salvia/code.py looks first. On AWS the SDK sends such code as a channel of its own.
import { basename } from "node:path/posix";
import { findFramework } from "../../../compute/frameworks/find-framework.ts";
import type { ResourceRow } from "../../../database/resources.ts";
import type { PlannedChannel, PlanFailure } from "../../../task/channel-plan.ts";
import { plannedObject } from "../channels/planned-object.ts";
import type { SagemakerPlatform } from "../context.ts";
import { findModelData } from "../model/find-model-data.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import type { TrainingJobSpec } from "./training-job.resource.ts";

export const codeFolder = "input/code";

/** S3 URI of the code; undefined where the job has a network, no script, or its code elsewhere. */
export function isolatedCode(spec: TrainingJobSpec): string | undefined {
  if (spec.EnableNetworkIsolation !== true || !runsScript(spec)) return undefined;
  const given =
    spec.HyperParameters?.["sagemaker_submit_directory"] ?? spec.Environment?.["SAGEMAKER_SUBMIT_DIRECTORY"];
  // The SDK writes hyperparameters as JSON, people as they are.
  const uri = given?.replaceAll(/^"|"$/g, "");
  return uri?.startsWith("s3://") === true ? uri : undefined;
}

function runsScript({ AlgorithmSpecification: wanted }: TrainingJobSpec): boolean {
  const { TrainingImage = "", ContainerEntrypoint = [] } = wanted ?? {};
  return ContainerEntrypoint.length === 0 && findFramework(TrainingImage) !== undefined;
}

interface CodeOfTask {
  readonly uri: string;
  readonly roleArn: string;
  readonly task: TaskRow;
  readonly owner: ResourceRow;
}

/** As the job's role reads it; pinned until the job ends. */
export async function codeChannel(
  platform: Pick<SagemakerPlatform, "objects" | "roles">,
  { uri, roleArn, task, owner }: CodeOfTask,
): Promise<PlannedChannel | PlanFailure> {
  const { account, region } = task;
  const found = await findModelData(platform, { account, region, roleArn, uri });
  if (found === "denied") return { failureReason: `ClientError: The job's role may not read its code: ${uri}` };
  if (!found) return { failureReason: `ClientError: There is no code at ${uri}` };
  await platform.objects.pin(owner.uid, [found]);
  const file = plannedObject(platform.objects, task.key, { ...found, path: basename(uri) }, false);
  return { name: "submit_directory", mode: "File", folder: codeFolder, objects: [file] };
}
