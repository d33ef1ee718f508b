// What the instances of a processing job read and write, and where their lines and figures go.
import type { ResourceRow } from "../../../database/resources.ts";
import { unpack } from "../../../lib/stored-json.ts";
import type { PlanLine } from "../../../task/plan-lines.ts";
import { rowKind } from "../../resource-definition.ts";
import type { SagemakerPlatform } from "../context.ts";
import { instanceOf } from "../jobs/job-kind.ts";
import { logStreamIn } from "../jobs/job-host.ts";
import { instanceLines } from "../jobs/instance-plan.ts";
import { readPlan } from "../jobs/plan-blob.ts";
import { storeUsage } from "../jobs/job-usage.ts";
import { parseS3Uri, type S3Uri } from "../s3-uri.ts";
import type { TaskOwner, TaskRow } from "../tasks/task-owner.ts";
import { inputFolder, isPiped } from "./processing-folders.ts";
import { processingJob, type ProcessingJobSpec } from "./processing-job.resource.ts";
import { uploadsOf } from "./processing-task-specs.ts";

const namespace = "/aws/sagemaker/ProcessingJobs";

type Platform = Pick<SagemakerPlatform, "storage" | "objects" | "metrics">;

const specOf = (owner: ResourceRow): ProcessingJobSpec => unpack(owner.spec) as ProcessingJobSpec;

async function* planFor(platform: Platform, task: TaskRow, owner: ResourceRow): AsyncGenerator<PlanLine> {
  const spec = specOf(owner);
  const inputs = new Map((spec.ProcessingInputs ?? []).map((input) => [input.InputName, input]));
  yield* instanceLines(readPlan(platform, owner), {
    objects: platform.objects,
    taskKey: task.key,
    index: instanceOf(task) - 1,
    count: spec.ProcessingResources.ClusterConfig.InstanceCount ?? 1,
    channelOf: ({ name }) => {
      const input = inputs.get(name);
      if (!input) throw new Error(`the plan has an input "${name}" that the job has not`);
      return { mode: isPiped(input) ? "Pipe" : "File", folder: inputFolder(input) };
    },
  });
  yield { end: true };
}

function uploadTo(spec: ProcessingJobSpec, folder: string): S3Uri | undefined {
  if (!uploadsOf(spec).some(({ name }) => name === folder)) return undefined;
  const output = spec.ProcessingOutputConfig?.Outputs[Number(folder.slice("output-".length))];
  return parseS3Uri(output?.S3Output?.S3Uri ?? "");
}

export const processingJobTasks = (platform: Platform): TaskOwner => ({
  kind: rowKind(processingJob),
  planFor: async (task, owner) => planFor(platform, task, owner),
  logStream: logStreamIn(namespace),
  roleArn: (owner) => specOf(owner).RoleArn,
  uploadTo: (_task, owner, folder) => uploadTo(specOf(owner), folder),
  store: (tx, report) => storeUsage(platform.metrics, tx, report, namespace),
});
