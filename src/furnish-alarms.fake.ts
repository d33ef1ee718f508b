// Requests about alarms, for furnish.fake.ts.
import { fakeAccount, fakeRegion } from "./salvia.fake.ts";

const AlarmName = "alarm";
const ResourceARN = `arn:aws:cloudwatch:${fakeRegion}:${fakeAccount}:alarm:${AlarmName}`;
const Tags = [{ Key: "team", Value: "red" }];
const metric = { Namespace: "space", MetricName: "metric", Dimensions: [{ Name: "Host", Value: "algo-1" }] };

export const alarmRecipes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "cloudwatch.PutMetricAlarm": {
    AlarmName,
    ...metric,
    Period: 60,
    Statistic: "Average",
    EvaluationPeriods: 2,
    DatapointsToAlarm: 1,
    Threshold: 1,
    ComparisonOperator: "GreaterThanThreshold",
    TreatMissingData: "notBreaching",
    AlarmActions: [`arn:aws:sns:${fakeRegion}:${fakeAccount}:topic`],
    Tags,
  },
  "cloudwatch.DescribeAlarms": { AlarmNamePrefix: "al", MaxRecords: 10, AlarmTypes: ["MetricAlarm"] },
  "cloudwatch.DescribeAlarmsForMetric": { ...metric, Period: 60, Statistic: "Average" },
  "cloudwatch.DescribeAlarmHistory": { AlarmName, HistoryItemType: "StateUpdate", MaxRecords: 5 },
  "cloudwatch.SetAlarmState": { AlarmName, StateValue: "ALARM", StateReason: "by hand", StateReasonData: '{"a":1}' },
  "cloudwatch.EnableAlarmActions": { AlarmNames: [AlarmName] },
  "cloudwatch.DisableAlarmActions": { AlarmNames: [AlarmName] },
  "cloudwatch.DeleteAlarms": { AlarmNames: [AlarmName] },
  "cloudwatch.TagResource": { ResourceARN, Tags },
  "cloudwatch.UntagResource": { ResourceARN, TagKeys: ["team"] },
  "cloudwatch.ListTagsForResource": { ResourceARN },
};
