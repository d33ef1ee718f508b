// One call of CloudWatch Logs' API, signed and sent.
import { signHeaders } from "../../src/protocols/sign-v4.fake.ts";
import { amzDate } from "../../src/protocols/signature-v4.ts";
import type { LogsOperations } from "../../src/models/generated/logs.ts";
import type { Target } from "../sign.ts";

type Output<Name extends keyof LogsOperations> = Exclude<LogsOperations[Name]["output"], void>;

/** Rejects unless the answer is 200. */
export async function logsCall<Name extends keyof LogsOperations>(
  target: Target,
  name: Name,
  input: LogsOperations[Name]["input"],
): Promise<Output<Name>> {
  const { host, port, accessKeyId, secretAccessKey } = target;
  const body = JSON.stringify(input);
  const sent = {
    "content-type": "application/x-amz-json-1.1",
    host: `${host}:${port}`,
    "x-amz-target": `Logs_20140328.${name}`,
  };
  const signing = { accessKeyId, secretAccessKey, service: "logs", at: amzDate(Date.now()), body };
  const { host: _, ...headers } = signHeaders({ headers: sent }, signing).headers;
  const answer = await fetch(`http://${host}:${port}/`, { method: "POST", headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${name}: ${answer.status}: ${text.slice(0, 500)}`);
  return (text === "" ? {} : JSON.parse(text)) as Output<Name>;
}
