// `serve`: the hosting contract over HTTP. GET /ping, POST /invocations, GET /execution-parameters.
// https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Algorithm, Predictor } from "./algorithm.ts";
import { chooseOffer } from "./content-type.ts";
import type { JobLog } from "./job-log.ts";
import { type AnswerType, answerTypes, encodePredictions } from "./predictions.ts";
import { RequestError, rowsOfRequest } from "./request-rows.ts";

export interface ServingOptions {
  readonly algorithm: Algorithm;
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: JobLog;
  /** Aborted when the platform asks the container to end. */
  readonly stop: AbortSignal;
}

const mebibyte = 1 << 20;
const defaultMaxPayloadMb = 100;

/** 0 means no limit, as in CreateTransformJob. */
function maxPayloadBytes(environment: ServingOptions["environment"]): number {
  const limit = Number(environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"] ?? defaultMaxPayloadMb);
  if (limit === 0) return Infinity;
  return (Number.isFinite(limit) && limit > 0 ? limit : defaultMaxPayloadMb) * mebibyte;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // The rest is still read, so that the client sees the answer instead of a reset connection.
    if (length <= maxBytes) chunks.push(chunk);
  }
  if (length > maxBytes)
    throw new RequestError(413, `the request body of ${length} bytes is over the limit of ${maxBytes}`);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, type: string, body: Uint8Array | string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** Given back as they came, so that a client can tell its answers apart by a trace id. */
const customAttributes = "x-amzn-sagemaker-custom-attributes";

const isAnswerType = (type: string | undefined): type is AnswerType => answerTypes.some((each) => each === type);

interface Hosted {
  readonly algorithm: Algorithm;
  readonly predictor: Predictor;
  readonly maxBytes: number;
  readonly log: JobLog;
}

async function invoke(
  { algorithm, predictor, maxBytes }: Hosted,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const accept = request.headers.accept;
  const type = chooseOffer(accept, answerTypes);
  if (!isAnswerType(type)) {
    request.resume();
    throw new RequestError(406, `cannot answer with '${accept}'; accept one of ${answerTypes.join(", ")}`);
  }
  const body = await readBody(request, maxBytes);
  if (body.length === 0) throw new RequestError(400, "the request body is empty");
  const rows = rowsOfRequest(body, request.headers["content-type"] ?? "text/csv", predictor.width);
  const attributes = request.headers[customAttributes];
  if (attributes !== undefined) response.setHeader(customAttributes, attributes);
  send(response, 200, type, encodePredictions(predictor.predict(rows), type, algorithm.answerKey));
}

async function answer(hosted: Hosted, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?")[0];
  if (path === "/invocations" && request.method === "POST") {
    await invoke(hosted, request, response);
    return;
  }
  request.resume();
  if (path === "/invocations") throw new RequestError(405, "use POST");
  if (path === "/ping") {
    send(response, 200, "application/json", "{}");
  } else if (path === "/execution-parameters") {
    const parameters = { MaxConcurrentTransforms: 1, BatchStrategy: "MULTI_RECORD", MaxPayloadInMB: 6 };
    send(response, 200, "application/json", JSON.stringify(parameters));
  } else throw new RequestError(404, `no such path: ${path}`);
}

async function answerSafely(hosted: Hosted, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await answer(hosted, request, response);
  } catch (error) {
    const status = error instanceof RequestError ? error.status : 500;
    const message = error instanceof Error ? error.message : String(error);
    hosted.log.error(`${request.method} ${request.url}: ${status} ${message}`);
    if (response.headersSent) response.destroy();
    else send(response, status, "text/plain; charset=utf-8", status === 500 ? "internal error" : message);
  }
}

const listening = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });

const closed = (server: Server, stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const close = (): void => {
      server.close(() => resolve());
      server.closeIdleConnections();
    };
    if (stop.aborted) close();
    else stop.addEventListener("abort", close, { once: true });
  });

/** Serves until asked to stop, then ends the requests in flight and resolves. Rejects when the model cannot be loaded. */
export async function serve({ algorithm, root, environment, log, stop }: ServingOptions): Promise<void> {
  const predictor = await algorithm.load(join(root, "model"));
  const hosted = { algorithm, predictor, maxBytes: maxPayloadBytes(environment), log };
  const server = createServer((request, response) => void answerSafely(hosted, request, response));
  // The router keeps connections open; only it decides when one has been idle for too long.
  server.keepAliveTimeout = 75_000;
  const port = Number(environment["SAGEMAKER_BIND_TO_PORT"] ?? 8080);
  const host = environment["SALVIA_BIND_HOST"] ?? "0.0.0.0";
  await listening(server, port, host);
  const bound = server.address();
  log.info(`serving ${algorithm.title} on ${host}:${typeof bound === "object" && bound ? bound.port : port}`);
  await closed(server, stop);
  log.info("stopped serving");
}
