// Metrics and their points (services/cloudwatch).

export interface MetricSeriesTable {
  /** A random 52-bit number. */
  id: number;
  account: string;
  region: string;
  namespace: string;
  name: string;
  /** [[name, value], …] sorted by name, JSON: equal sets of dimensions are equal texts. */
  dimensions: string;
  /** When data last came in. */
  last_put_at: number;
}

/** What one value, repeated `sample_count` times, or one statistic set says; nothing is unique about it. */
export interface MetricPointsTable {
  series_id: number;
  at: number;
  unit: string;
  sample_count: number;
  sum: number;
  minimum: number;
  maximum: number;
}

export interface MetricTables {
  metric_series: MetricSeriesTable;
  metric_points: MetricPointsTable;
}
