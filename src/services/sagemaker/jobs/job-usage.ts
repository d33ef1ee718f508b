// The usage that the instances of a job report, as CloudWatch metrics.
import type { Writer } from "../../../database/store.ts";
import type { Metrics } from "../../cloudwatch/index.ts";
import type { StoredReport } from "../tasks/task-owner.ts";
import { usageMetrics } from "../tasks/usage-metrics.ts";
import { hostOf } from "./job-host.ts";

export async function storeUsage(metrics: Metrics, tx: Writer, report: StoredReport, namespace: string): Promise<void> {
  const { task, owner, events } = report;
  const data = usageMetrics(events, { Host: hostOf(task, owner) });
  if (data.length === 0) return;
  await metrics.put(tx, { account: task.account, region: task.region }, namespace, data);
}
