// What the instances of a processing job read and write, and where their lines and figures go.
import type { ResourceRow } from "../../../database/resources.ts";
import { unpack } from "../../../lib/stored-json.ts";
import type { ChannelPlan } from "../../../task/channel-plan.ts";
import { rowKind } from "../../resource-definition.ts";
import { filesOf, type JobPlan } from "../channels/channel-planner.ts";
import { plannedObject } from "../channels/planned-object.ts";
import type { SagemakerPlatform } from "../context.ts";
import { instanceOf } from "../jobs/job-kind.ts";
import { logStreamIn } from "../jobs/job-host.ts";
import { readPlan } from "../jobs/plan-blob.ts";
import { storeUsage } from "../jobs/job-usage.ts";
import { parseS3Uri, type S3Uri } from "../s3-uri.ts";
import type { TaskOwner, TaskRow } from "../tasks/task-owner.ts";
import { processingFolder } from "./processing-folders.ts";
import { processingJob, type ProcessingJobSpec } from "./processing-job.resource.ts";
import { uploadsOf } from "./processing-task-specs.ts";

const namespace = "/aws/sagemaker/ProcessingJobs";

type Platform = Pick<SagemakerPlatform, "storage" | "objects" | "metrics">;

const specOf = (owner: ResourceRow): ProcessingJobSpec => unpack(owner.spec) as ProcessingJobSpec;

async function planFor(platform: Platform, task: TaskRow, owner: ResourceRow): Promise<ChannelPlan> {
  const spec = specOf(owner);
  const plan = await readPlan<JobPlan>(platform, owner);
  const paths = new Map(
    (spec.ProcessingInputs ?? []).map((input) => [input.InputName, input.S3Input?.LocalPath ?? ""]),
  );
  const count = spec.ProcessingResources.ClusterConfig.InstanceCount ?? 1;
  const channels = plan.channels.map((channel) => ({
    name: channel.name,
    mode: "File" as const,
    folder: processingFolder(paths.get(channel.name) ?? "") ?? `processing/${channel.name}`,
    objects: filesOf(channel, instanceOf(task) - 1, count).map((file) =>
      plannedObject(platform.objects, task.key, file, channel.isGzip),
    ),
  }));
  // A folder inside of another is made after it, since each is emptied first.
  return { channels: channels.toSorted((a, b) => a.folder.length - b.folder.length), modelArchives: [] };
}

function uploadTo(spec: ProcessingJobSpec, folder: string): S3Uri | undefined {
  if (!uploadsOf(spec).some(({ name }) => name === folder)) return undefined;
  const output = spec.ProcessingOutputConfig?.Outputs[Number(folder.slice("output-".length))];
  return parseS3Uri(output?.S3Output?.S3Uri ?? "");
}

export const processingJobTasks = (platform: Platform): TaskOwner => ({
  kind: rowKind(processingJob),
  planFor: (task, owner) => planFor(platform, task, owner),
  logStream: logStreamIn(namespace),
  roleArn: (owner) => specOf(owner).RoleArn,
  uploadTo: (_task, owner, folder) => uploadTo(specOf(owner), folder),
  store: (tx, report) => storeUsage(platform.metrics, tx, report, namespace),
});
