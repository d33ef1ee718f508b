// The runtime's errors. The texts are AWS's; where AWS links to its console, ours names the log group.
import { AwsError } from "../../lib/aws-error.ts";
import type { FoundEndpoint } from "./endpoint-lookup.ts";

const invalid = (message: string): AwsError => new AwsError("ValidationError", message);

export const endpointNotFound = (name: string, account: string): AwsError =>
  invalid(`Endpoint ${name} of account ${account} not found.`);

export const variantNotFound = (variant: string, endpoint: string, account: string): AwsError =>
  invalid(`Variant ${variant} of endpoint ${endpoint} of account ${account} not found.`);

export const notForThisEndpoint = (member: string, why: string): AwsError =>
  invalid(`${member} cannot be given to this endpoint: ${why}.`);

/** AWS's text. */
export const targetModelNotSupported = (endpoint: string): AwsError =>
  invalid(`Endpoint ${endpoint} is not a multi-model endpoint and does not support target model header.`);

/** AWS's text. */
export const targetModelMissing = (requestId: string): AwsError =>
  invalid(`Request ${requestId} is missing a target model header.`);

export const targetModelWrong = (target: string): AwsError =>
  invalid(`TargetModel ${JSON.stringify(target)} is not the path of a model below the endpoint's prefix.`);

/** The agent of a multi-model container says why there is no model. */
export const modelProblem = (problem: string, text: string): AwsError =>
  problem === "not-ready" ? new AwsError("ModelNotReadyException", text, { httpStatus: 429 }) : invalid(text);

export const noInstance = (name: string): AwsError =>
  new AwsError("ServiceUnavailable", `No instance of endpoint ${name} answers at the moment. Please try again.`);

const logGroup = ({ name }: FoundEndpoint): string => `/aws/sagemaker/Endpoints/${name}`;

/** A container answered 4xx or 5xx, too much, too late, or broke off (status 0). */
export function modelError(endpoint: FoundEndpoint, status: number, message: string): AwsError {
  const { account, region } = endpoint.scope;
  const side = status >= 400 && status < 500 ? "client" : "server";
  const text = `Received ${side} error (${status}) from primary with message "${message}". See the log group ${logGroup(endpoint)} in account ${account} for more information.`;
  return new AwsError("ModelError", text, {
    httpStatus: 424,
    fields: {
      OriginalStatusCode: status,
      OriginalMessage: message,
      LogStreamArn: `arn:aws:logs:${region}:${account}:log-group:${logGroup(endpoint)}`,
    },
  });
}

export const timeoutText =
  "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.";
