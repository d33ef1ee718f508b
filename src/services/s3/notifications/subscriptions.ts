// Which events of a bucket go where, read from its configuration.
import type {
  Event,
  FilterRule,
  NotificationConfiguration,
  NotificationConfigurationFilter,
} from "../../../models/generated/s3.ts";
import type { Reader } from "../../../database/store.ts";
import { readSetting, setting } from "../configuration/setting.ts";

export const notification = setting<NotificationConfiguration>("notification", "", "");

/** One entry of a configuration, whatever its destination is. */
export interface Subscription {
  readonly id: string;
  readonly arn: string;
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

const ruleOf = (filter: NotificationConfigurationFilter | undefined, wanted: string): FilterRule | undefined =>
  filter?.Key?.FilterRules?.find(({ Name }) => Name?.toLowerCase() === wanted);

export interface Entry {
  readonly Id?: string | undefined;
  readonly Events: readonly Event[];
  readonly Filter?: NotificationConfigurationFilter | undefined;
}

const subscription = (entry: Entry, arn: string): Subscription => ({
  id: entry.Id ?? "",
  arn,
  events: entry.Events,
  prefix: ruleOf(entry.Filter, "prefix")?.Value ?? "",
  suffix: ruleOf(entry.Filter, "suffix")?.Value ?? "",
});

export const subscriptionsIn = (configuration: NotificationConfiguration): readonly Subscription[] => [
  ...(configuration.TopicConfigurations ?? []).map((entry) => subscription(entry, entry.TopicArn)),
  ...(configuration.QueueConfigurations ?? []).map((entry) => subscription(entry, entry.QueueArn)),
  ...(configuration.LambdaFunctionConfigurations ?? []).map((entry) => subscription(entry, entry.LambdaFunctionArn)),
];

export async function subscriptionsOf(reader: Reader, bucket: string): Promise<readonly Subscription[]> {
  const configuration = await readSetting(reader, bucket, notification);
  return configuration ? subscriptionsIn(configuration) : [];
}

/** `s3:ObjectCreated:*` stands for all that begin so. */
export const matchesEvent = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
