// Which web pages may use a bucket: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
import type { CORSRule } from "../../../models/generated/s3.ts";
import { invalidRequest, malformedXml } from "../errors.ts";
import { operation } from "../s3-context.ts";
import { deleteSetting, putSetting, requireSetting, setting } from "./setting.ts";

export const cors = setting<{ readonly CORSRules: readonly CORSRule[] }>(
  "cors",
  "NoSuchCORSConfiguration",
  "The CORS configuration does not exist",
);

const methods: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);
const maxRules = 100;

export const corsConfiguration = [
  operation("PutBucketCors", async (input, ctx) => {
    const { CORSRules } = input.CORSConfiguration;
    if (CORSRules.length === 0 || CORSRules.length > maxRules) throw malformedXml();
    for (const rule of CORSRules) checkRule(rule);
    await putSetting(input, ctx, cors, { CORSRules });
  }),
  operation("GetBucketCors", (input, ctx) => requireSetting(input, ctx, cors)),
  operation("DeleteBucketCors", (input, ctx) => deleteSetting(input, ctx, cors)),
];

function checkRule({ AllowedMethods, AllowedOrigins, AllowedHeaders = [] }: CORSRule): void {
  for (const method of AllowedMethods) {
    if (methods.has(method)) continue;
    throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
  }
  for (const origin of AllowedOrigins) {
    if (isWildcardOnce(origin)) continue;
    throw invalidRequest(`AllowedOrigin "${origin}" can not have more than one wildcard.`);
  }
  for (const header of AllowedHeaders) {
    if (isWildcardOnce(header)) continue;
    throw invalidRequest(`AllowedHeader "${header}" can not have more than one wildcard.`);
  }
}

const isWildcardOnce = (text: string): boolean => text.split("*").length <= 2;
