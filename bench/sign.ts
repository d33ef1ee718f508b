// Requests signed ahead of time, as bytes: so that the load generator does nothing but send and count.
import { signHeaders } from "../src/protocols/sign-v4.fake.ts";
import { amzDate } from "../src/protocols/signature-v4.ts";

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One SageMaker request (awsJson 1.1) with Signature Version 4 in its headers, ready for a socket. */
export function signedRequest(target: Target, operation: string, input: object, at: Date): Buffer {
  const { host, port, accessKeyId, secretAccessKey } = target;
  const body = JSON.stringify(input);
  const sent = {
    "content-type": "application/x-amz-json-1.1",
    host: `${host}:${port}`,
    "x-amz-target": `SageMaker.${operation}`,
  };
  const signing = { accessKeyId, secretAccessKey, service: "sagemaker", at: amzDate(at.getTime()), body };
  const { headers } = signHeaders({ headers: sent }, signing);
  const head = [
    "POST / HTTP/1.1",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: keep-alive",
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

export interface S3Call {
  readonly method: string;
  /** Percent-encoded, e.g. "/bucket/key". */
  readonly path: string;
  /** Without the question mark, parameters in order. */
  readonly query?: string;
  readonly body?: Uint8Array;
  /** Bytes of a body that is sent after the head, unsigned. */
  readonly streamedBytes?: number;
}

/** One S3 request with Signature Version 4 in its headers; of a streamed one, the head alone. */
export function signedS3Request(target: Target, call: S3Call, at: Date): Buffer {
  const { host, port, accessKeyId, secretAccessKey } = target;
  const { method, path, query = "", body, streamedBytes } = call;
  const signing = {
    accessKeyId,
    secretAccessKey,
    service: "s3",
    at: amzDate(at.getTime()),
    ...(streamedBytes === undefined ? { body: body ?? "" } : { payload: "UNSIGNED-PAYLOAD" }),
  };
  const { headers } = signHeaders(
    { method, rawPath: path, rawQuery: query, headers: { host: `${host}:${port}` } },
    signing,
  );
  const length = streamedBytes ?? body?.byteLength ?? 0;
  const head = [
    `${method} ${path}${query === "" ? "" : `?${query}`} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(method === "GET" ? [] : [`content-length: ${length}`]),
    "connection: keep-alive",
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body ?? Buffer.alloc(0)]);
}
