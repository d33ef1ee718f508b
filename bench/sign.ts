// Requests signed ahead of time, as bytes: so that the load generator does nothing but send and count.
import { createHash, createHmac } from "node:crypto";

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** One SageMaker request (awsJson 1.1) with Signature Version 4 in its headers, ready for a socket. */
export function signedRequest(target: Target, operation: string, input: object, at: Date): Buffer {
  const body = JSON.stringify(input);
  const time = at.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/us-west-2/sagemaker/aws4_request`;
  const headers: readonly (readonly [string, string])[] = [
    ["content-type", "application/x-amz-json-1.1"],
    ["host", `${target.host}:${target.port}`],
    ["x-amz-date", time],
    ["x-amz-target", `SageMaker.${operation}`],
  ];
  const names = headers.map(([name]) => name).join(";");
  const canonical = [
    "POST",
    "/",
    "",
    ...headers.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    sha256(body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const [date = "", region = "", service = "", end = ""] = scope.split("/");
  const key = hmac(hmac(hmac(hmac(`AWS4${target.secretAccessKey}`, date), region), service), end);
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${target.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const head = [
    "POST / HTTP/1.1",
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `authorization: ${authorization}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: keep-alive",
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}
