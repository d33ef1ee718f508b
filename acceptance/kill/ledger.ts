// What the server has acknowledged, kept outside of it; and the check that none of it is missing.
import { createHash } from "node:crypto";
import { DescribeModelCommand, type SageMakerClient } from "@aws-sdk/client-sagemaker";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";

export class Ledger {
  readonly models: string[] = [];
  /** key → md5 of the bytes last acknowledged; keys whose overwrite was not acknowledged may hold either. */
  readonly objects = new Map<string, Set<string>>();
  readonly jobs: string[] = [];

  get size(): number {
    return this.models.length + this.objects.size + this.jobs.length;
  }

  /** Before an overwrite is sent: from now on the key may hold the new bytes too. */
  attempt(key: string, body: Uint8Array): void {
    const known = this.objects.get(key);
    known?.add(md5(body));
  }

  acknowledge(key: string, body: Uint8Array): void {
    this.objects.set(key, new Set([md5(body)]));
  }

  async missing(clients: { s3: S3Client; sagemaker: SageMakerClient }, bucket: string): Promise<string[]> {
    const missing: string[] = [];
    for (const name of this.models) {
      await clients.sagemaker
        .send(new DescribeModelCommand({ ModelName: name }))
        .catch((error: unknown) => missing.push(`model ${name}: ${String(error)}`));
    }
    for (const [key, hashes] of this.objects) {
      const problem = await clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key })).then(
        async ({ Body }) => {
          const bytes = await Body?.transformToByteArray();
          return bytes && hashes.has(md5(bytes)) ? undefined : "other bytes";
        },
        (error: unknown) => String(error),
      );
      if (problem !== undefined) missing.push(`object ${key}: ${problem}`);
    }
    return missing;
  }
}

const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");
