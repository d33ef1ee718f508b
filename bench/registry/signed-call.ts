// One call of ECR's API, signed and sent.
import { signHeaders } from "../../src/protocols/sign-v4.fake.ts";
import { amzDate } from "../../src/protocols/signature-v4.ts";
import type { Target } from "../sign.ts";

/** The answer's text; rejects unless it is 200. */
export async function signedCall(target: Target, operation: string, input: object): Promise<string> {
  const { host, port, accessKeyId, secretAccessKey } = target;
  const body = JSON.stringify(input);
  const sent = {
    "content-type": "application/x-amz-json-1.1",
    host: `${host}:${port}`,
    "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${operation}`,
  };
  const signing = { accessKeyId, secretAccessKey, service: "ecr", at: amzDate(Date.now()), body };
  const { host: _, ...headers } = signHeaders({ headers: sent }, signing).headers;
  const answer = await fetch(`http://${host}:${port}/`, { method: "POST", headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${operation}: ${answer.status}: ${text}`);
  return text;
}
