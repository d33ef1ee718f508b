// What an alarm's state is by its datapoints. Source: "Configuring how CloudWatch alarms treat missing data", user guide.
import type { PutMetricAlarmInput, StateValue } from "../../../models/generated/cloudwatch.ts";
import type { Point } from "../math/time-series.ts";

/** Older periods than the evaluated ones are looked at where those lack data. */
export const extraPeriods = 2;

type Rules = Pick<
  PutMetricAlarmInput,
  "ComparisonOperator" | "Threshold" | "EvaluationPeriods" | "DatapointsToAlarm" | "TreatMissingData"
>;

export interface Judgement {
  readonly StateValue: StateValue;
  readonly StateReason: string;
  /** The datapoints that were judged, newest first. */
  readonly judged: readonly Point[];
}

const comparisons: Readonly<Record<string, { readonly words: string; is(value: number, threshold: number): boolean }>> =
  {
    GreaterThanOrEqualToThreshold: { words: "greater than or equal to", is: (value, threshold) => value >= threshold },
    GreaterThanThreshold: { words: "greater than", is: (value, threshold) => value > threshold },
    LessThanThreshold: { words: "less than", is: (value, threshold) => value < threshold },
    LessThanOrEqualToThreshold: { words: "less than or equal to", is: (value, threshold) => value <= threshold },
  };

/** `points` are those of the evaluated periods and `extraPeriods` more, in order of time. Undefined: the state stays as it is. */
export function judge(points: readonly Point[], rules: Rules): Judgement | undefined {
  const judged = points.toReversed().slice(0, rules.EvaluationPeriods ?? 1);
  const missing = (rules.EvaluationPeriods ?? 1) - judged.length;
  const breaching = judged.filter(({ value }) => isBreaching(value, rules)).length;
  const StateValue = verdict({ present: judged.length, missing, breaching }, rules);
  return StateValue && { StateValue, StateReason: reasonOf(StateValue, { judged, missing, rules }), judged };
}

interface Counts {
  readonly present: number;
  readonly missing: number;
  readonly breaching: number;
}

function verdict({ present, missing, breaching }: Counts, rules: Rules): StateValue | undefined {
  const { EvaluationPeriods = 1, DatapointsToAlarm = EvaluationPeriods, TreatMissingData = "missing" } = rules;
  if (breaching + (TreatMissingData === "breaching" ? missing : 0) >= DatapointsToAlarm) return "ALARM";
  if (missing === 0) return "OK";
  switch (TreatMissingData) {
    case "missing":
      if (present === 0) return "INSUFFICIENT_DATA";
      return breaching === present ? "ALARM" : "OK";
    case "ignore":
      return present - breaching > EvaluationPeriods - DatapointsToAlarm ? "OK" : undefined;
    default:
      return "OK";
  }
}

function isBreaching(value: number, { ComparisonOperator, Threshold = 0 }: Rules): boolean {
  return ComparisonOperator !== undefined && (comparisons[ComparisonOperator]?.is(value, Threshold) ?? false);
}

interface Evidence {
  readonly judged: readonly Point[];
  readonly missing: number;
  readonly rules: Rules;
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");

function shownTime(at: number): string {
  const time = new Date(at);
  const day = [time.getUTCDate(), time.getUTCMonth() + 1, time.getUTCFullYear() % 100].map(twoDigits).join("/");
  return `${day} ${[time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map(twoDigits).join(":")}`;
}

/** As CloudWatch writes numbers: 5.0, 0.25. */
export const shownNumber = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function reasonOf(state: StateValue, evidence: Evidence): string {
  const { judged, missing, rules } = evidence;
  const { EvaluationPeriods = 1, TreatMissingData } = rules;
  if (state === "INSUFFICIENT_DATA")
    return `Insufficient Data: ${plural(missing, "datapoint")} ${missing === 1 ? "was" : "were"} unknown.`;
  if (judged.length > 0) return crossedReason(state, evidence);
  const treatment = TreatMissingData === "breaching" ? "Breaching" : "NonBreaching";
  return (
    `Threshold Crossed: no datapoints were received for ${plural(EvaluationPeriods, "period")} ` +
    `and ${plural(missing, "missing datapoint")} ${missing === 1 ? "was" : "were"} treated as [${treatment}].`
  );
}

function crossedReason(state: StateValue, { judged, rules }: Evidence): string {
  const { EvaluationPeriods = 1, DatapointsToAlarm = EvaluationPeriods, ComparisonOperator, Threshold = 0 } = rules;
  const isAlarm = state === "ALARM";
  const words = ComparisonOperator === undefined ? "" : comparisons[ComparisonOperator]?.words;
  const shown = judged.filter(({ value }) => isBreaching(value, rules) === isAlarm);
  const list = shown.map(({ at, value }) => `${shownNumber(value)} (${shownTime(at)})`).join(", ");
  const verb = `${shown.length === 1 ? "was" : "were"}${isAlarm ? "" : " not"}`;
  const least = isAlarm ? DatapointsToAlarm : EvaluationPeriods - DatapointsToAlarm + 1;
  const turn = `minimum ${plural(least, "datapoint")} for ${isAlarm ? "OK -> ALARM" : "ALARM -> OK"} transition`;
  const range = `${shown.length} out of the last ${plural(EvaluationPeriods, "datapoint")}`;
  return `Threshold Crossed: ${range} [${list}] ${verb} ${words} the threshold (${shownNumber(Threshold)}) (${turn}).`;
}
