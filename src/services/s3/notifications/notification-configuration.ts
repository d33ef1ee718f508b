// Puts and gives back which events of a bucket go where: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
import type { NotificationConfiguration } from "../../../models/generated/s3.ts";
import type { Random } from "../../../lib/random.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { saveSetting } from "../configuration/bucket-settings.ts";
import { getSetting } from "../configuration/setting.ts";
import { invalidArgument, notImplemented } from "../errors.ts";
import { operation } from "../s3-context.ts";
import type { Destinations } from "./destinations.ts";
import { saveTestEvent } from "./record-event.ts";
import { matchesEvent, notification, subscriptionsIn, type Entry, type Subscription } from "./subscriptions.ts";

const shareAnEvent = (a: Subscription, b: Subscription): boolean =>
  a.events.some((one) => b.events.some((other) => matchesEvent(one, other) || matchesEvent(other, one)));

function overlap(a: Subscription, b: Subscription): boolean {
  const prefixes = a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
  const suffixes = a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix);
  return prefixes && suffixes && shareAnEvent(a, b);
}

function check(subscriptions: readonly Subscription[], destinations: Destinations): void {
  const lost = subscriptions.find(({ arn }) => destinations.urlOf(arn) === undefined);
  if (lost) {
    // Salvia has no topics, queues or functions: only what has a webhook can be reached.
    throw invalidArgument(
      "Unable to validate the following destination configurations",
      lost.arn,
      "No webhook is set for it: start Salvia with --s3-webhook.",
    );
  }
  const isOverlapping = subscriptions.some((one, at) =>
    subscriptions.slice(at + 1).some((other) => overlap(one, other)),
  );
  if (!isOverlapping) return;
  throw invalidArgument(
    "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
    "NotificationConfiguration",
    "",
  );
}

function withIds(configuration: NotificationConfiguration, random: Random): NotificationConfiguration {
  const named = <E extends Entry>(entries: readonly E[] | undefined): readonly E[] | undefined =>
    entries?.map((entry) => ({ ...entry, Id: entry.Id ?? random.uuid() }));
  const { TopicConfigurations, QueueConfigurations, LambdaFunctionConfigurations } = configuration;
  return {
    TopicConfigurations: named(TopicConfigurations),
    QueueConfigurations: named(QueueConfigurations),
    LambdaFunctionConfigurations: named(LambdaFunctionConfigurations),
  };
}

export const notificationConfiguration = [
  operation("PutBucketNotificationConfiguration", async (input, ctx) => {
    const { NotificationConfiguration: given } = input;
    if (given.EventBridgeConfiguration !== undefined) throw notImplemented("events to EventBridge");
    const configuration = withIds(given, ctx.random);
    const subscriptions = subscriptionsIn(configuration);
    check(subscriptions, ctx.destinations);
    await ctx.store.write(async (tx) => {
      const bucket = await requireBucket(tx, ctx.account, input.Bucket, input.ExpectedBucketOwner);
      const now = ctx.clock.now();
      await saveSetting(tx, bucket.name, notification.name, JSON.stringify(configuration), now);
      for (const arn of new Set(subscriptions.map((one) => one.arn))) await saveTestEvent(tx, ctx, bucket, arn, now);
    });
  }),
  operation(
    "GetBucketNotificationConfiguration",
    async (input, ctx) => (await getSetting(input, ctx, notification)) ?? {},
  ),
];
