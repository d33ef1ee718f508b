// What PutMetricAlarm refuses beyond what the model says, and what it does not carry out.
import type { MetricDataQuery, PutMetricAlarmInput } from "../../../models/generated/cloudwatch.ts";
import { validationFailure } from "../errors.ts";
import { checkQueries } from "../metric-queries.ts";
import { isPeriod } from "../periods.ts";
import { parseStatistic } from "../statistic.ts";

const maxActions = 5;
const dayS = 86_400;

const unsupported = [
  "ThresholdMetricId",
  "EvaluationWindow",
  "WarmUpConfiguration",
  "EvaluationCriteria",
  "EvaluationInterval",
  "ActionConfiguration",
] as const;

const missingDataTreatments: readonly (string | undefined)[] = [
  undefined,
  "missing",
  "ignore",
  "breaching",
  "notBreaching",
];

const comparisons: readonly (string | undefined)[] = [
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "LessThanThreshold",
  "LessThanOrEqualToThreshold",
];

/** Throws ValidationError. */
export function checkAlarm(input: PutMetricAlarmInput): void {
  const asked = unsupported.find((member) => input[member] !== undefined);
  if (asked !== undefined) throw validationFailure(`${asked} is not supported by Salvia.`);
  if (!comparisons.includes(input.ComparisonOperator))
    throw validationFailure(`The comparison ${input.ComparisonOperator} needs anomaly detection, which Salvia lacks.`);
  if (input.Threshold === undefined) throw validationFailure("The parameter Threshold is required.");
  if (!missingDataTreatments.includes(input.TreatMissingData))
    throw validationFailure(`Value '${input.TreatMissingData}' at 'treatMissingData' is not a valid value.`);
  checkPeriods(input);
  for (const actions of [input.AlarmActions, input.OKActions, input.InsufficientDataActions])
    if ((actions?.length ?? 0) > maxActions) throw validationFailure(`A state has at most ${maxActions} actions.`);
  if (input.Metrics === undefined) checkMetric(input);
  else checkMath(input, input.Metrics);
}

function checkPeriods(input: PutMetricAlarmInput): void {
  const { EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } = input;
  if (EvaluationPeriods === undefined) throw validationFailure("The parameter EvaluationPeriods is required.");
  if ((DatapointsToAlarm ?? 1) > EvaluationPeriods)
    throw validationFailure("Metrics list: DatapointsToAlarm must not be greater than EvaluationPeriods.");
  const rangeS = EvaluationPeriods * periodOf(input);
  if (rangeS > (periodOf(input) >= 3_600 ? 7 * dayS : dayS))
    throw validationFailure(
      "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
    );
}

function checkMetric(input: PutMetricAlarmInput): void {
  const { MetricName, Namespace, Period, Statistic, ExtendedStatistic } = input;
  if (MetricName === undefined || Namespace === undefined)
    throw validationFailure("Exactly one of metric name and metrics must be given, a metric name with its namespace.");
  if (Period === undefined || !isPeriod(Period))
    throw validationFailure("The parameter Period must be 10, 20, 30 or a multiple of 60.");
  if ((Statistic === undefined) === (ExtendedStatistic === undefined))
    throw validationFailure("Exactly one of Statistic and ExtendedStatistic must be given.");
  if (!parseStatistic(Statistic ?? ExtendedStatistic ?? ""))
    throw validationFailure(`The value ${ExtendedStatistic} for parameter ExtendedStatistic is not supported.`);
}

function checkMath(input: PutMetricAlarmInput, metrics: readonly MetricDataQuery[]): void {
  if ([input.MetricName, input.Namespace, input.Period, input.Statistic, input.ExtendedStatistic].some(Boolean))
    throw validationFailure("Exactly one of metric name and metrics must be given.");
  const queries = checkQueries(metrics, "Metrics");
  if (queries.filter(({ isReturned }) => isReturned).length !== 1)
    throw validationFailure("Metrics list must contain exactly one metric matching the ReturnData condition.");
}

/** Seconds of one evaluated period. */
export function periodOf({ Period, Metrics = [] }: Pick<PutMetricAlarmInput, "Period" | "Metrics">): number {
  if (Period !== undefined) return Period;
  const returned = Metrics.find(({ ReturnData }) => ReturnData !== false);
  if (returned?.Period !== undefined) return returned.Period;
  return Math.max(...Metrics.map(({ MetricStat }) => MetricStat?.Period ?? 1), Metrics.length === 0 ? 60 : 1);
}

/** The alarm's metric, or its expression with what it is made of. */
export function queriesOf(spec: PutMetricAlarmInput): readonly MetricDataQuery[] {
  if (spec.Metrics) return spec.Metrics;
  const { Namespace, MetricName, Dimensions, Unit } = spec;
  const Metric = { Namespace, MetricName, Dimensions };
  const Stat = spec.Statistic ?? spec.ExtendedStatistic ?? "Average";
  return [{ Id: "m1", MetricStat: { Metric, Period: periodOf(spec), Stat, Unit } }];
}
