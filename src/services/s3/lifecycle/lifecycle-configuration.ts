import type { LifecycleRule, TransitionDefaultMinimumObjectSize } from "../../../models/generated/s3.ts";
import type { Reader } from "../../../database/store.ts";
import { findSetting } from "../configuration/bucket-settings.ts";
import { bucketOfRequest, deleteSetting, missingSetting, putSetting, setting } from "../configuration/setting.ts";
import { malformedXml } from "../errors.ts";
import { operation } from "../s3-context.ts";
import { checkedRules } from "./lifecycle-rules.ts";

export interface Lifecycle {
  readonly Rules: readonly LifecycleRule[];
  readonly TransitionDefaultMinimumObjectSize?: TransitionDefaultMinimumObjectSize | undefined;
}

export const lifecycle = setting<Lifecycle>(
  "lifecycle",
  "NoSuchLifecycleConfiguration",
  "The lifecycle configuration does not exist",
);

export async function lifecycleOf(reader: Reader, bucket: string): Promise<Lifecycle | undefined> {
  const text = await findSetting(reader, bucket, lifecycle.name);
  // Our own JSON; its only dates are members of this name.
  const revive = (name: string, value: unknown) =>
    name === "Date" && typeof value === "string" ? new Date(value) : value;
  return text === undefined ? undefined : (JSON.parse(text, revive) as Lifecycle);
}

/** Transitions are kept and given back; no storage class is changed, since all are the same here. */
export const lifecycleConfiguration = [
  operation("PutBucketLifecycleConfiguration", async (input, ctx) => {
    const { LifecycleConfiguration: given, TransitionDefaultMinimumObjectSize: smallest } = input;
    if (!given) throw malformedXml();
    const Rules = checkedRules(given.Rules, ctx.random);
    const TransitionDefaultMinimumObjectSize = smallest ?? "all_storage_classes_128K";
    await putSetting(input, ctx, lifecycle, { Rules, TransitionDefaultMinimumObjectSize });
    return { TransitionDefaultMinimumObjectSize };
  }),
  operation("GetBucketLifecycleConfiguration", async (input, ctx) => {
    const bucket = await bucketOfRequest(input, ctx);
    const found = await lifecycleOf(ctx.store.read, bucket.name);
    if (!found) throw missingSetting(lifecycle, bucket.name);
    return found;
  }),
  operation("DeleteBucketLifecycle", (input, ctx) => deleteSetting(input, ctx, lifecycle)),
];
