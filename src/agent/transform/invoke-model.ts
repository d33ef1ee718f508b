// Requests to the model's container: GET /execution-parameters, POST /invocations with its time limit and retries.
import { Agent, request } from "node:http";
import type { Clock } from "../../lib/clock.ts";
import { StageError } from "../planned-path.ts";

export interface ModelAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface InvokeOptions {
  /** "http://host:port" */
  readonly address: string;
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  readonly timeoutSeconds: number;
  readonly maxRetries: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** It will not answer for other records either. */
export class UnreachableModelError extends StageError {}

export interface ModelClient {
  /** Throws StageError when the model does not answer with success, after the retries. */
  invoke(body: Buffer): Promise<Buffer>;
  /** The container's wishes; empty where it has none. */
  executionParameters(): Promise<ExecutionParameters>;
  close(): void;
}

export interface ExecutionParameters {
  readonly MaxConcurrentTransforms?: number;
  readonly BatchStrategy?: "MULTI_RECORD" | "SINGLE_RECORD";
  readonly MaxPayloadInMB?: number;
}

const shownAtStart = 200;
const shownAtEnd = 400;
const parametersWithinSeconds = 2;
const retryAfterMs = 500;

export function connectToModel(options: InvokeOptions): ModelClient {
  const sockets = new Agent({ keepAlive: true });
  const send = (method: string, path: string, body: Buffer | undefined, seconds: number): Promise<ModelAnswer> =>
    new Promise((resolve, reject) => {
      const headers = {
        ...(options.contentType === undefined ? {} : { "content-type": options.contentType }),
        ...(options.accept === undefined ? {} : { accept: options.accept }),
        ...(body ? { "content-length": String(body.length) } : {}),
      };
      const signal = AbortSignal.any([options.signal, AbortSignal.timeout(seconds * 1_000)]);
      const call = request(new URL(path, options.address), { method, agent: sockets, headers, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
        answer.on("error", reject);
      });
      call.on("error", reject);
      call.end(body);
    });

  const attempt = async (body: Buffer): Promise<Buffer> => {
    const { status, body: answer } = await send("POST", "/invocations", body, options.timeoutSeconds);
    if (status >= 200 && status < 300) return answer;
    throw new StageError(`the model answered ${status}: ${excerpt(answer)}`);
  };

  return {
    invoke: async (body) => {
      for (let left = options.maxRetries; ; left--) {
        try {
          return await attempt(body);
        } catch (error) {
          options.signal.throwIfAborted();
          if (left === 0) throw error instanceof StageError ? error : unanswered(error, options.timeoutSeconds);
        }
        await options.clock.sleep(retryAfterMs, options.signal);
      }
    },
    executionParameters: async () => {
      try {
        const { status, body } = await send("GET", "/execution-parameters", undefined, parametersWithinSeconds);
        return status === 200 ? readParameters(body.toString()) : {};
      } catch (error) {
        options.signal.throwIfAborted();
        if (error instanceof Error) return {}; // No such route, or none in time: the container has no wishes.
        throw error;
      }
    },
    close: () => sockets.destroy(),
  };
}

/** Both ends of a long text: what went wrong stands in the last line of a traceback. */
export function excerpt(answer: Buffer): string {
  const characters = Array.from(answer.toString("utf8").trim());
  if (characters.length <= shownAtStart + shownAtEnd) return characters.join("");
  return `${characters.slice(0, shownAtStart).join("")} … ${characters.slice(-shownAtEnd).join("")}`;
}

function unanswered(error: unknown, seconds: number): StageError {
  const isLate = error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
  if (isLate) return new StageError(`the model did not answer within ${seconds} s (InvocationsTimeoutInSeconds)`);
  const why = error instanceof Error ? error.message : String(error);
  return new UnreachableModelError(`the model could not be reached: ${why}`);
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0;

/** Containers are not trusted: what makes no sense is left out. */
function readParameters(text: string): ExecutionParameters {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof given !== "object" || given === null) return {};
  const { MaxConcurrentTransforms, BatchStrategy, MaxPayloadInMB } = given as Record<string, unknown>;
  return {
    ...(isCount(MaxConcurrentTransforms) && MaxConcurrentTransforms > 0 ? { MaxConcurrentTransforms } : {}),
    ...(BatchStrategy === "MULTI_RECORD" || BatchStrategy === "SINGLE_RECORD" ? { BatchStrategy } : {}),
    ...(isCount(MaxPayloadInMB) ? { MaxPayloadInMB } : {}),
  };
}
