// Which names a bucket may have: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
import { AwsError } from "../../../lib/aws-error.ts";

const shape = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const address = /^\d+\.\d+\.\d+\.\d+$/;
const forbiddenStarts = ["xn--", "sthree-", "amzn-s3-demo-"];
const forbiddenEnds = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/** First path segments that are Salvia's own. */
const reserved: ReadonlySet<string> = new Set(["studio", "health", "metrics", "v2", "_salvia"]);

export function isBucketName(name: string): boolean {
  return (
    shape.test(name) &&
    !name.includes("..") &&
    !address.test(name) &&
    !forbiddenStarts.some((start) => name.startsWith(start)) &&
    !forbiddenEnds.some((end) => name.endsWith(end))
  );
}

export function checkBucketName(name: string): void {
  const fields = { BucketName: name };
  if (reserved.has(name)) {
    throw new AwsError("InvalidBucketName", `The name ${name} is reserved by Salvia.`, { fields });
  }
  if (!isBucketName(name)) throw new AwsError("InvalidBucketName", "The specified bucket is not valid.", { fields });
}
