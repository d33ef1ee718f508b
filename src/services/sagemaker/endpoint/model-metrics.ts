// Metrics of multi-model endpoints as SageMaker names them in CloudWatch: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
import type { TaskEvent } from "../../../task/report.ts";
import type { MetricData } from "../../cloudwatch/index.ts";

export interface ModelMetrics {
  /** Namespace AWS/SageMaker. */
  readonly ofModels: readonly MetricData[];
  /** Namespace /aws/sagemaker/Endpoints, where instances are measured. */
  readonly loadedCounts: readonly MetricData[];
}

/** Of what agents of multi-model containers tell in a report. */
export function modelMetrics(events: readonly TaskEvent[], dimensions: Readonly<Record<string, string>>): ModelMetrics {
  const all = events.flatMap((event) =>
    event.type === "models"
      ? event.metrics.map(({ name, value }) => {
          const unit = name.endsWith("Time") ? "Microseconds" : name === "ModelCacheHit" ? "None" : "Count";
          return { name, value, dimensions, unit, timestamp: event.at };
        })
      : [],
  );
  return {
    ofModels: all.filter(({ name }) => name !== "LoadedModelCount"),
    loadedCounts: all.filter(({ name }) => name === "LoadedModelCount"),
  };
}
