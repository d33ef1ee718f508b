// What PutMetricData demands of a datum beyond its shape (the API pages of PutMetricData, MetricDatum and StatisticSet).
import type { MetricDatum, StatisticSet } from "../../models/generated/cloudwatch.ts";
import { invalidCombination, invalidValue, missingParameter } from "./errors.ts";
import { textOfDimensions } from "./series.ts";
import { valuePoint, type Point, type SeriesPoints } from "./metric-points.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const largest = 2 ** 360;
const maxValues = 150;

export function checkNamespace(namespace: string): void {
  if (namespace.startsWith("AWS/")) throw invalidValue(`The value AWS/ for parameter Namespace is invalid.`);
}

/** The points that a datum says; `path` names it in messages, e.g. MetricData.member.1. */
export function pointsOf(datum: MetricDatum, path: string, now: Date): SeriesPoints {
  checkKindOfValue(datum, path);
  const resolutionMs = datum.StorageResolution === 1 ? 1_000 : 60_000;
  if (datum.StorageResolution !== undefined && datum.StorageResolution !== 1 && datum.StorageResolution !== 60)
    throw invalidValue(`The value ${datum.StorageResolution} for parameter ${path}.StorageResolution is invalid.`);
  const at = timeOf(datum, path, now);
  return {
    name: datum.MetricName,
    dimensions: textOfDimensions(distinct(datum, path)),
    points: valuesOf(datum, path, at - (at % resolutionMs), datum.Unit ?? "None"),
  };
}

function checkKindOfValue(datum: MetricDatum, path: string): void {
  const given = (["Value", "Values", "StatisticValues"] as const).filter((member) => datum[member] !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    const choices = `${path}.Value, ${path}.Values or ${path}.StatisticValues`;
    throw missingParameter(`At least one of the parameters ${choices} must be specified.`);
  }
  if (second !== undefined)
    throw invalidCombination(
      `The parameters ${path}.${first} and ${path}.${second} are mutually exclusive and you have specified both.`,
    );
  if (datum.Counts !== undefined && datum.Counts.length !== datum.Values?.length)
    throw invalidCombination(`The parameters ${path}.Values and ${path}.Counts must be of the same length.`);
}

function timeOf(datum: MetricDatum, path: string, now: Date): number {
  const time = (datum.Timestamp ?? now).getTime();
  if (time < now.getTime() - 14 * dayMs)
    throw invalidValue(`The parameter ${path}.Timestamp must specify a time no more than two weeks in the past.`);
  if (time > now.getTime() + 2 * hourMs)
    throw invalidValue(`The parameter ${path}.Timestamp must specify a time no more than two hours in the future.`);
  return time;
}

function distinct({ Dimensions = [] }: MetricDatum, path: string): NonNullable<MetricDatum["Dimensions"]> {
  const names = new Set(Dimensions.map(({ Name }) => Name));
  if (names.size < Dimensions.length)
    throw invalidValue(`The parameter ${path}.Dimensions must not name a dimension twice.`);
  return Dimensions;
}

function valuesOf(datum: MetricDatum, path: string, at: number, unit: string): Point[] {
  if (datum.StatisticValues) return [setPoint(datum.StatisticValues, `${path}.StatisticValues`, at, unit)];
  if (datum.Value !== undefined) return [valuePoint(checked(datum.Value, `${path}.Value`), 1, unit, at)];
  const { Values = [], Counts } = datum;
  if (Values.length > maxValues)
    throw invalidValue(`The collection ${path}.Values must not have a size greater than ${maxValues}.`);
  return Values.map((value, index) => {
    const count = checked(Counts?.[index] ?? 1, `${path}.Counts.member.${index + 1}`);
    if (count <= 0)
      throw invalidValue(`The value ${count} for parameter ${path}.Counts.member.${index + 1} is invalid.`);
    return valuePoint(checked(value, `${path}.Values.member.${index + 1}`), count, unit, at);
  });
}

function setPoint(set: StatisticSet, path: string, at: number, unit: string): Point {
  const count = checked(set.SampleCount, `${path}.SampleCount`);
  if (count <= 0) throw invalidValue(`The value ${count} for parameter ${path}.SampleCount is invalid.`);
  const minimum = checked(set.Minimum, `${path}.Minimum`);
  const maximum = checked(set.Maximum, `${path}.Maximum`);
  if (minimum > maximum)
    throw invalidCombination(`The parameter ${path}.Minimum must be less than or equal to ${path}.Maximum.`);
  return { at, unit, count, sum: checked(set.Sum, `${path}.Sum`), minimum, maximum };
}

function checked(value: number, path: string): number {
  if (!(Math.abs(value) <= largest)) throw invalidValue(`The value ${value} for parameter ${path} is invalid.`);
  return value;
}
