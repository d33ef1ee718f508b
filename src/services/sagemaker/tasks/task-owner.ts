// What a kind that runs tasks says about them; the agents' route looks the owner up by the kind of its row.
import type { ResourceRow } from "../../../database/resources.ts";
import type { Writer } from "../../../database/store.ts";
import type { TasksTable } from "../../../database/tables/core.ts";
import type { PlanFailure } from "../../../task/channel-plan.ts";
import type { PlanLine } from "../../../task/plan-lines.ts";
import type { TaskEvent } from "../../../task/report.ts";
import type { S3Uri } from "../s3-uri.ts";

export type TaskRow = TasksTable;

export interface TaskOwner {
  /** Row kind, e.g. "sagemaker/training-job". */
  readonly kind: string;
  /** What the agent brings in. The same answer however often it asks. */
  planFor(task: TaskRow, owner: ResourceRow): Promise<AsyncIterable<PlanLine> | PlanFailure>;
  /** Where the lines of this instance go in CloudWatch Logs. */
  logStream(task: TaskRow, owner: ResourceRow): { readonly group: string; readonly stream: string };
  roleArn(owner: ResourceRow, task: TaskRow): string;
  /** Where the files of an upload folder of the task go: `<prefix>/<path>`, written as the role. Undefined: it has no such folder. */
  uploadTo?(task: TaskRow, owner: ResourceRow, folder: string): S3Uri | undefined;
  /** Of a task with a multi-model container: where the model of that path lies. Undefined: it has no models. */
  modelAt?(task: TaskRow, owner: ResourceRow, target: string): S3Uri | undefined;
  /** Latest values of the metrics that these lines carry; merged into `observed.metrics`. */
  metricsIn?(owner: ResourceRow, lines: readonly OutputLine[]): Promise<readonly MetricPoint[]>;
  /** Whatever else a report stores (CloudWatch metrics); inside the report's transaction: nothing but queries on `tx`. */
  store?(tx: Writer, report: StoredReport): Promise<void>;
}

export interface OutputLine {
  readonly at: number;
  readonly text: string;
}

export interface MetricPoint {
  readonly name: string;
  readonly value: number;
  readonly at: number;
}

export interface StoredReport {
  readonly task: TaskRow;
  readonly owner: ResourceRow;
  readonly events: readonly TaskEvent[];
  readonly metrics: readonly MetricPoint[];
}
