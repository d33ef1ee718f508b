// Configuration of which a bucket may have many, each with an id: metrics, analytics, inventory, intelligent tiering. Kept and given
// back; no report is written.
import type {
  AnalyticsConfiguration,
  IntelligentTieringConfiguration,
  InventoryConfiguration,
  MetricsConfiguration,
} from "../../../models/generated/s3.ts";
import { operation, type S3Context } from "../s3-context.ts";
import { settingsBelow } from "./bucket-settings.ts";
import {
  bucketOfRequest,
  deleteSetting,
  putSetting,
  requireSetting,
  setting,
  type OfBucket,
  type Setting,
} from "./setting.ts";

const one = <Document>(kind: string, id: string): Setting<Document> =>
  setting(`${kind}/${id}`, "NoSuchConfiguration", "The specified configuration does not exist.");

/** All on one page: a bucket has at most a thousand of a kind. */
async function all<Document>(kind: string, input: OfBucket, ctx: S3Context): Promise<readonly Document[]> {
  const bucket = await bucketOfRequest(input, ctx);
  const texts = await settingsBelow(ctx.store.read, bucket.name, `${kind}/`);
  // Our own JSON, written by putSetting.
  return texts.map((text) => JSON.parse(text) as Document);
}

const metrics = (id: string) => one<MetricsConfiguration>("metrics", id);
const analytics = (id: string) => one<AnalyticsConfiguration>("analytics", id);
const inventory = (id: string) => one<InventoryConfiguration>("inventory", id);
const tiering = (id: string) => one<IntelligentTieringConfiguration>("intelligent-tiering", id);

export const numberedConfiguration = [
  operation("PutBucketMetricsConfiguration", (input, ctx) =>
    putSetting(input, ctx, metrics(input.Id), input.MetricsConfiguration),
  ),
  operation("GetBucketMetricsConfiguration", async (input, ctx) => ({
    MetricsConfiguration: await requireSetting(input, ctx, metrics(input.Id)),
  })),
  operation("DeleteBucketMetricsConfiguration", (input, ctx) => deleteSetting(input, ctx, metrics(input.Id))),
  operation("ListBucketMetricsConfigurations", async (input, ctx) => ({
    IsTruncated: false,
    MetricsConfigurationList: await all<MetricsConfiguration>("metrics", input, ctx),
  })),

  operation("PutBucketAnalyticsConfiguration", (input, ctx) =>
    putSetting(input, ctx, analytics(input.Id), input.AnalyticsConfiguration),
  ),
  operation("GetBucketAnalyticsConfiguration", async (input, ctx) => ({
    AnalyticsConfiguration: await requireSetting(input, ctx, analytics(input.Id)),
  })),
  operation("DeleteBucketAnalyticsConfiguration", (input, ctx) => deleteSetting(input, ctx, analytics(input.Id))),
  operation("ListBucketAnalyticsConfigurations", async (input, ctx) => ({
    IsTruncated: false,
    AnalyticsConfigurationList: await all<AnalyticsConfiguration>("analytics", input, ctx),
  })),

  operation("PutBucketInventoryConfiguration", (input, ctx) =>
    putSetting(input, ctx, inventory(input.Id), input.InventoryConfiguration),
  ),
  operation("GetBucketInventoryConfiguration", async (input, ctx) => ({
    InventoryConfiguration: await requireSetting(input, ctx, inventory(input.Id)),
  })),
  operation("DeleteBucketInventoryConfiguration", (input, ctx) => deleteSetting(input, ctx, inventory(input.Id))),
  operation("ListBucketInventoryConfigurations", async (input, ctx) => ({
    IsTruncated: false,
    InventoryConfigurationList: await all<InventoryConfiguration>("inventory", input, ctx),
  })),

  operation("PutBucketIntelligentTieringConfiguration", (input, ctx) =>
    putSetting(input, ctx, tiering(input.Id), input.IntelligentTieringConfiguration),
  ),
  operation("GetBucketIntelligentTieringConfiguration", async (input, ctx) => ({
    IntelligentTieringConfiguration: await requireSetting(input, ctx, tiering(input.Id)),
  })),
  operation("DeleteBucketIntelligentTieringConfiguration", (input, ctx) =>
    deleteSetting(input, ctx, tiering(input.Id)),
  ),
  operation("ListBucketIntelligentTieringConfigurations", async (input, ctx) => ({
    IsTruncated: false,
    IntelligentTieringConfigurationList: await all<IntelligentTieringConfiguration>("intelligent-tiering", input, ctx),
  })),
];
