// Configuration that is kept and given back, and has no further effect (services/observed.ts says so in the coverage): website,
// logging, request payment, acceleration. No access log is written and no website served.
import type {
  AccelerateConfiguration,
  BucketLoggingStatus,
  RequestPaymentConfiguration,
  WebsiteConfiguration,
} from "../../../models/generated/s3.ts";
import { operation } from "../s3-context.ts";
import {
  bucketOfRequest,
  deleteSetting,
  getSetting,
  missingSetting,
  putSetting,
  requireSetting,
  setting,
} from "./setting.ts";

const website = setting<WebsiteConfiguration>(
  "website",
  "NoSuchWebsiteConfiguration",
  "The specified bucket does not have a website configuration",
);
const logging = setting<BucketLoggingStatus>("logging", "", "");
const payment = setting<RequestPaymentConfiguration>("request-payment", "", "");
const acceleration = setting<AccelerateConfiguration>("accelerate", "", "");
const replication = setting<unknown>(
  "replication",
  "ReplicationConfigurationNotFoundError",
  "The replication configuration was not found",
);
const objectLock = setting<unknown>(
  "object-lock",
  "ObjectLockConfigurationNotFoundError",
  "Object Lock configuration does not exist for this bucket",
);

const byOwner: RequestPaymentConfiguration = { Payer: "BucketOwner" };

export const storedConfiguration = [
  operation("PutBucketWebsite", (input, ctx) => putSetting(input, ctx, website, input.WebsiteConfiguration)),
  operation("GetBucketWebsite", (input, ctx) => requireSetting(input, ctx, website)),
  operation("DeleteBucketWebsite", (input, ctx) => deleteSetting(input, ctx, website)),

  operation("PutBucketLogging", (input, ctx) => putSetting(input, ctx, logging, input.BucketLoggingStatus)),
  operation("GetBucketLogging", async (input, ctx) => (await getSetting(input, ctx, logging)) ?? {}),

  operation("PutBucketRequestPayment", (input, ctx) =>
    putSetting(input, ctx, payment, input.RequestPaymentConfiguration),
  ),
  operation("GetBucketRequestPayment", async (input, ctx) => (await getSetting(input, ctx, payment)) ?? byOwner),

  operation("PutBucketAccelerateConfiguration", (input, ctx) =>
    putSetting(input, ctx, acceleration, input.AccelerateConfiguration),
  ),
  operation(
    "GetBucketAccelerateConfiguration",
    async (input, ctx) => (await getSetting(input, ctx, acceleration)) ?? {},
  ),

  // Replication and object lock would promise something; they cannot be put, so there is none.
  operation("GetBucketReplication", async (input, ctx) => {
    await bucketOfRequest(input, ctx);
    throw missingSetting(replication, input.Bucket);
  }),
  operation("DeleteBucketReplication", async (input, ctx) => void (await bucketOfRequest(input, ctx))),
  operation("GetObjectLockConfiguration", async (input, ctx) => {
    await bucketOfRequest(input, ctx);
    throw missingSetting(objectLock, input.Bucket);
  }),
];
