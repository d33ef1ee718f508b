// What the instances of a training job read, where their lines go, which metrics their lines carry.
import type { ResourceRow } from "../../../database/resources.ts";
import type { Writer } from "../../../database/store.ts";
import { unpack } from "../../../lib/stored-json.ts";
import type { PlannedChannel, PlanFailure } from "../../../task/channel-plan.ts";
import { planLines, type PlanLine } from "../../../task/plan-lines.ts";
import { rowKind } from "../../resource-definition.ts";
import type { MetricData } from "../../cloudwatch/index.ts";
import type { SagemakerPlatform } from "../context.ts";
import type { StoredReport, TaskOwner, TaskRow } from "../tasks/task-owner.ts";
import { usageMetrics } from "../tasks/usage-metrics.ts";
import { fileSystemFolder } from "../channels/file-systems.ts";
import { InputDataError } from "../channels/channel-planner.ts";
import { hostOf, logStreamIn } from "../jobs/job-host.ts";
import { instanceLines } from "../jobs/instance-plan.ts";
import { readPlan } from "../jobs/plan-blob.ts";
import { instanceCount } from "./job-tasks.ts";
import { instanceOf } from "../jobs/job-kind.ts";
import { checkpointAddress, checkpointChannel, checkpointName } from "./checkpoints.ts";
import { inputModeOf } from "./check-support.ts";
import { codeChannel, isolatedCode } from "./isolated-code.ts";
import { metricsInLines, thinned } from "./log-metrics.ts";
import { trainingJob, type TrainingJobSpec } from "./training-job.resource.ts";

const namespace = "/aws/sagemaker/TrainingJobs";

/** Per report, in CloudWatch: each is a row of the report's transaction. */
const maxValues = 10_000;

type Platform = Pick<SagemakerPlatform, "storage" | "objects" | "roles" | "metrics" | "clock" | "log" | "fileSystems">;

const specOf = (owner: ResourceRow): TrainingJobSpec => unpack(owner.spec) as TrainingJobSpec;

function modeOf(spec: TrainingJobSpec, name: string): Pick<PlannedChannel, "mode" | "shuffleSeed" | "isWrapped"> {
  const channel = spec.InputDataConfig?.find(({ ChannelName }) => ChannelName === name);
  const mode = channel ? inputModeOf(spec, channel) : "File";
  if (!channel || mode !== "Pipe") return { mode };
  const seed = channel.ShuffleConfig?.Seed;
  return {
    mode: "Pipe",
    ...(seed === undefined ? {} : { shuffleSeed: seed }),
    ...(channel.RecordWrapperType === "RecordIO" ? { isWrapped: true } : {}),
  };
}

/** The channels that are folders of this machine. */
async function mountsOf(
  { fileSystems }: Pick<SagemakerPlatform, "fileSystems">,
  spec: TrainingJobSpec,
): Promise<PlannedChannel[] | PlanFailure> {
  const mounts: PlannedChannel[] = [];
  try {
    for (const { ChannelName: name, DataSource } of spec.InputDataConfig ?? []) {
      const source = DataSource.FileSystemDataSource;
      if (!source) continue;
      const from = await fileSystemFolder(fileSystems, source);
      const mount = { from, isReadOnly: source.FileSystemAccessMode === "ro" };
      mounts.push({ name, mode: "Mount", mount, objects: [] });
    }
    return mounts;
  } catch (error) {
    if (error instanceof InputDataError) return { failureReason: error.message };
    throw error;
  }
}

async function planFor(
  platform: Platform,
  task: TaskRow,
  owner: ResourceRow,
): Promise<AsyncIterable<PlanLine> | PlanFailure> {
  const { CheckpointConfig: config, RoleArn: roleArn } = specOf(owner);
  const channels = await mountsOf(platform, specOf(owner));
  if ("failureReason" in channels) return channels;
  const uri = isolatedCode(specOf(owner));
  const more = [
    config && (await checkpointChannel(platform, { config, roleArn, task, owner })),
    uri === undefined ? undefined : await codeChannel(platform, { uri, roleArn, task, owner }),
  ];
  for (const one of more) {
    if (one && "failureReason" in one) return one;
    if (one) channels.push(one);
  }
  return linesFor(platform, task, owner, channels);
}

/** @param others channels that are not of the job's plan */
async function* linesFor(
  platform: Platform,
  task: TaskRow,
  owner: ResourceRow,
  others: readonly PlannedChannel[],
): AsyncGenerator<PlanLine> {
  yield* instanceLines(readPlan(platform, owner), {
    objects: platform.objects,
    taskKey: task.key,
    index: instanceOf(task) - 1,
    count: instanceCount(specOf(owner)),
    channelOf: ({ name }) => modeOf(specOf(owner), name),
  });
  yield* planLines({ channels: others, modelArchives: [] });
}

function dataOf({ task, owner, events, metrics }: StoredReport): MetricData[] {
  const usage = usageMetrics(events, { Host: hostOf(task, owner) });
  const own = thinned(metrics, maxValues).map(({ name, value, at }) => ({
    name,
    value,
    timestamp: at,
    unit: "None",
    dimensions: { TrainingJobName: owner.name },
  }));
  return [...usage, ...own];
}

async function storeMetrics({ metrics }: Platform, tx: Writer, report: StoredReport): Promise<void> {
  const data = dataOf(report);
  if (data.length === 0) return;
  await metrics.put(tx, { account: report.task.account, region: report.task.region }, namespace, data);
}

export const trainingJobTasks = (platform: Platform): TaskOwner => ({
  kind: rowKind(trainingJob),
  planFor: (task, owner) => planFor(platform, task, owner),
  logStream: logStreamIn(namespace),
  roleArn: (owner) => specOf(owner).RoleArn,
  uploadTo: (_task, owner, folder) =>
    folder === checkpointName ? checkpointAddress(specOf(owner).CheckpointConfig) : undefined,
  metricsIn: (owner, lines) => {
    const definitions = specOf(owner).AlgorithmSpecification?.MetricDefinitions ?? [];
    return metricsInLines(definitions, lines, platform.clock, platform.log.with({ trainingJob: owner.name }));
  },
  store: (tx, report) => storeMetrics(platform, tx, report),
});
