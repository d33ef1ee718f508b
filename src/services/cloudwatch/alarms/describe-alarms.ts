import type { DescribeAlarmsInput } from "../../../models/generated/cloudwatch.ts";
import { operation } from "../context.ts";
import { textOfDimensions } from "../series.ts";
import { describeAlarm, type Alarm } from "./alarm.resource.ts";
import { findAlarms, partsOf, placeOf, tokenOf, type Place } from "./find-alarms.ts";

const defaultRecords = 50;

export const describeAlarms = operation("DescribeAlarms", async (input, ctx) => {
  const { AlarmNames, AlarmTypes, NextToken } = input;
  // Composite and log alarms are not there to be found.
  if (AlarmTypes && AlarmTypes.length > 0 && !AlarmTypes.includes("MetricAlarm")) return { MetricAlarms: [] };
  const limit = input.MaxRecords ?? AlarmNames?.length ?? defaultRecords;
  const found: Alarm[] = [];
  for await (const one of findAlarms(ctx, matching(input), NextToken === undefined ? undefined : placeIn(NextToken))) {
    const last = found.at(-1);
    if (found.length === limit && last) {
      const { value, uid } = placeOf(last);
      return { MetricAlarms: found.map(describeAlarm), NextToken: tokenOf([value, uid]) };
    }
    found.push(one);
  }
  return { MetricAlarms: found.map(describeAlarm) };
});

function placeIn(token: string): Place {
  const [value, uid] = partsOf(token);
  return { value: String(value), uid };
}

function matching({ AlarmNames, AlarmNamePrefix = "", ActionPrefix, StateValue }: DescribeAlarmsInput) {
  const names = AlarmNames && new Set(AlarmNames);
  return (found: Alarm): boolean =>
    (!names || names.has(found.name)) &&
    found.name.startsWith(AlarmNamePrefix) &&
    (StateValue === undefined || describeAlarm(found).StateValue === StateValue) &&
    (ActionPrefix === undefined || actionsOf(found).some((action) => action.startsWith(ActionPrefix)));
}

const actionsOf = ({ spec }: Alarm): readonly string[] => [
  ...(spec.AlarmActions ?? []),
  ...(spec.OKActions ?? []),
  ...(spec.InsufficientDataActions ?? []),
];

export const describeAlarmsForMetric = operation("DescribeAlarmsForMetric", async (input, ctx) => {
  const dimensions = textOfDimensions(input.Dimensions);
  const isOfMetric = ({ spec }: Alarm): boolean =>
    spec.MetricName === input.MetricName &&
    spec.Namespace === input.Namespace &&
    textOfDimensions(spec.Dimensions) === dimensions &&
    (["Statistic", "ExtendedStatistic", "Period", "Unit"] as const).every(
      (member) => input[member] === undefined || input[member] === spec[member],
    );
  const found = await Array.fromAsync(findAlarms(ctx, isOfMetric));
  return { MetricAlarms: found.map(describeAlarm) };
});
