// What the instances of a transform job read and write, and where their lines and figures go.
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
import { parseS3Uri } from "../s3-uri.ts";
import type { TaskOwner, TaskRow } from "../tasks/task-owner.ts";
import { transformJob, type TransformJobSpec } from "./transform-job.resource.ts";

const namespace = "/aws/sagemaker/TransformJobs";

type Platform = Pick<SagemakerPlatform, "storage" | "objects" | "metrics">;

const specOf = (owner: ResourceRow): TransformJobSpec => unpack(owner.spec) as TransformJobSpec;

async function* planFor(platform: Platform, task: TaskRow, owner: ResourceRow): AsyncGenerator<PlanLine> {
  yield* instanceLines(readPlan(platform, owner), {
    objects: platform.objects,
    taskKey: task.key,
    index: instanceOf(task) - 1,
    count: specOf(owner).TransformResources.InstanceCount,
    channelOf: () => ({ mode: "Stream" }),
  });
  yield { end: true };
}

export const transformJobTasks = (platform: Platform): TaskOwner => ({
  kind: rowKind(transformJob),
  planFor: async (task, owner) => planFor(platform, task, owner),
  logStream: logStreamIn(namespace),
  roleArn: (owner) => specOf(owner).model.roleArn,
  uploadTo: (_task, owner, folder) =>
    folder === "output" ? parseS3Uri(specOf(owner).TransformOutput.S3OutputPath) : undefined,
  store: (tx, report) => storeUsage(platform.metrics, tx, report, namespace),
});
