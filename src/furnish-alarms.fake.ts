// Requests about alarms and queries, for furnish.fake.ts.
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

export const queryRecipes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "logs.StartQuery": {
    logGroupNames: ["/group"],
    startTime: 1_767_225_000,
    endTime: 1_767_230_000,
    queryString:
      'fields @message | parse @message "* *" as a, b | filter a like /x/ | stats count(*) by bin(5m) | sort @t desc | limit 5',
    limit: 10,
  },
  "logs.GetQueryResults": { queryId: "made by the server" },
  "logs.StopQuery": { queryId: "made by the server" },
  "logs.DescribeQueries": { logGroupName: "/group", status: "Complete", maxResults: 5 },
  "logs.StartLiveTail": {
    logGroupIdentifiers: [`arn:aws:logs:${fakeRegion}:${fakeAccount}:log-group:/group`],
    logEventFilterPattern: "x",
  },
};
