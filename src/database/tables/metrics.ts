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

/** What happened to alarms (services/cloudwatch/alarms). */
export interface AlarmHistoryTable {
  /** Of the alarm. */
  uid: string;
  /** In order of time for one alarm. */
  id: string;
  account: string;
  region: string;
  name: string;
  at: number;
  /** HistoryItemType: ConfigurationUpdate, StateUpdate or Action. */
  type: string;
  summary: string;
  /** JSON */
  data: string;
}

export interface MetricTables {
  alarm_history: AlarmHistoryTable;
  metric_series: MetricSeriesTable;
  metric_points: MetricPointsTable;
}
