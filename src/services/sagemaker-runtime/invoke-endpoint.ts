// InvokeEndpoint and InvokeEndpointWithResponseStream. The container sees only what the developer guide promises it:
// https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
import { AwsError } from "../../lib/aws-error.ts";
import type { Clock } from "../../lib/clock.ts";
import type {
  InvokeEndpointInput,
  InvokeEndpointOutput,
  InvokeEndpointWithResponseStreamInput,
  ResponseStream,
  SagemakerRuntimeOperations,
} from "../../models/generated/sagemaker-runtime.ts";
import { operationsOf, type RequestContext } from "../service.ts";
import { modelError, modelProblem, notForThisEndpoint } from "./errors.ts";
import type { InvocationMetrics } from "./invocation-metrics.ts";
import { modelProblemHeader } from "../../task/target-model.ts";
import { brokenOff, type RoutedAnswer, type Router } from "./router.ts";

export interface RuntimeContext extends RequestContext {
  readonly router: Router;
  readonly invocations: InvocationMetrics;
}

const operation = operationsOf<SagemakerRuntimeOperations, RuntimeContext>();

const maxAnswerBytes = 6 * 1024 * 1024;
/** Of a container's error text, in the error's message. */
const maxMessageLength = 2_048;

const requestHeaders = [
  ["content-type", "ContentType"],
  ["accept", "Accept"],
  ["x-amzn-sagemaker-custom-attributes", "CustomAttributes"],
  ["x-amzn-sagemaker-inference-id", "InferenceId"],
  ["x-amzn-sagemaker-session-id", "SessionId"],
] as const;

type Invoked = InvokeEndpointInput | InvokeEndpointWithResponseStreamInput;

const headersFor = (input: Invoked): Record<string, string> =>
  Object.fromEntries(
    requestHeaders.flatMap(([header, member]) => {
      const value = input[member];
      return value === undefined ? [] : [[header, value]];
    }),
  );

function checkTarget(input: InvokeEndpointInput): void {
  if (input.InferenceComponentName !== undefined)
    throw notForThisEndpoint("InferenceComponentName", "it has no inference components");
  if (input.TargetContainerHostname !== undefined)
    throw notForThisEndpoint("TargetContainerHostname", "its model has a single container");
  if (input.EnableExplanations !== undefined)
    throw notForThisEndpoint("EnableExplanations", "its configuration has no ExplainerConfig");
}

const header = (answer: RoutedAnswer, name: string): string | undefined => {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** The members of the answer that travel as headers. */
function answered(answer: RoutedAnswer): Omit<InvokeEndpointOutput, "Body"> {
  const contentType = header(answer, "content-type");
  const attributes = header(answer, "x-amzn-sagemaker-custom-attributes");
  const newSession = header(answer, "x-amzn-sagemaker-new-session-id");
  const closedSession = header(answer, "x-amzn-sagemaker-closed-session-id");
  return {
    InvokedProductionVariant: answer.variant,
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    ...(attributes === undefined ? {} : { CustomAttributes: attributes }),
    ...(newSession === undefined ? {} : { NewSessionId: newSession }),
    ...(closedSession === undefined ? {} : { ClosedSessionId: closedSession }),
  };
}

/** The whole body. Throws when it breaks off or is larger than an answer may be. */
async function readBody(answer: RoutedAnswer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxAnswerBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw brokenOff(answer.endpoint, answer.signal, error);
  }
  if (sizeBytes > maxAnswerBytes)
    throw modelError(answer.endpoint, answer.status, `The response is larger than ${maxAnswerBytes} bytes.`);
  return chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
}

async function refuseError(answer: RoutedAnswer): Promise<void> {
  if (answer.status >= 200 && answer.status < 300) return;
  const text = (await readBody(answer)).toString("utf8", 0, maxMessageLength * 4);
  const problem = header(answer, modelProblemHeader);
  if (problem !== undefined && answer.isMultiModel) throw modelProblem(problem, text.slice(0, maxMessageLength));
  throw modelError(answer.endpoint, answer.status, text.slice(0, maxMessageLength));
}

interface Timer {
  readonly clock: Clock;
  readonly startedAt: number;
}

/** Status 0 of a ModelError says that the container gave no answer. */
const statusOf = (answer: RoutedAnswer, error: unknown): number =>
  error instanceof AwsError && error.fields["OriginalStatusCode"] === 0 ? 0 : answer.status;

/** Ends the answer and counts it. */
function settle(ctx: RuntimeContext, timer: Timer, answer: RoutedAnswer, error?: unknown): void {
  if (error !== undefined) answer.body.destroy();
  answer.done();
  const now = timer.clock.monotonicMs();
  const modelMs = now - answer.sentAt;
  ctx.invocations.count({
    scope: answer.endpoint.scope,
    endpoint: answer.endpoint.name,
    variant: answer.variant,
    status: statusOf(answer, error),
    modelMs,
    overheadMs: now - timer.startedAt - modelMs,
  });
}

const send = (input: Invoked, ctx: RuntimeContext): Promise<RoutedAnswer> =>
  ctx.router.send({
    scope: { account: ctx.account, region: ctx.region },
    endpoint: input.EndpointName,
    targetVariant: input.TargetVariant,
    ...("TargetModel" in input && { targetModel: input.TargetModel }),
    requestId: ctx.requestId,
    headers: headersFor(input),
    body: input.Body,
    signal: ctx.signal,
  });

export const invokeEndpoint = operation("InvokeEndpoint", async (input, ctx) => {
  const timer = { clock: ctx.clock, startedAt: ctx.clock.monotonicMs() };
  checkTarget(input);
  const answer = await send(input, ctx);
  try {
    await refuseError(answer);
    const Body = await readBody(answer);
    settle(ctx, timer, answer);
    return { Body, ...answered(answer) };
  } catch (error) {
    settle(ctx, timer, answer, error);
    throw error;
  }
});

/** The container's chunks as they come. What breaks after the first byte is an event of the stream. */
async function* parts(ctx: RuntimeContext, timer: Timer, answer: RoutedAnswer): AsyncGenerator<ResponseStream> {
  let failure: unknown = new Error("the client went away");
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) yield { PayloadPart: { Bytes: chunk } };
    failure = undefined;
  } catch (error) {
    failure = brokenOff(answer.endpoint, answer.signal, error);
    if (!ctx.signal.aborted) {
      const Message = failure instanceof Error ? failure.message : String(failure);
      yield { ModelStreamError: { Message, ErrorCode: "StreamBroken" } };
    }
  } finally {
    settle(ctx, timer, answer, failure);
  }
}

export const invokeEndpointWithResponseStream = operation("InvokeEndpointWithResponseStream", async (input, ctx) => {
  const timer = { clock: ctx.clock, startedAt: ctx.clock.monotonicMs() };
  checkTarget(input);
  const answer = await send(input, ctx);
  try {
    await refuseError(answer);
  } catch (error) {
    settle(ctx, timer, answer, error);
    throw error;
  }
  const { NewSessionId: _, ClosedSessionId: __, ...members } = answered(answer);
  return { Body: parts(ctx, timer, answer), ...members };
});
