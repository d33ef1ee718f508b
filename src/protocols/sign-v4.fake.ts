// A signer for tests: the client's side of signature-v4.ts. Real clients sign in the tests of http/.
import { hash } from "node:crypto";
import { canonicalRequest, uriEncode, type SignedRequest } from "./signature-canonical.ts";
import { SigningKeys } from "./signing-keys.ts";

export interface SignOptions {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly service: string;
  readonly region?: string;
  /** YYYYMMDDTHHMMSSZ */
  readonly at: string;
  readonly body?: Uint8Array | string;
  /** Instead of the body's hash. */
  readonly payload?: string;
  /** Left out of the signature, though sent. */
  readonly unsignedHeaders?: readonly string[];
}

export interface PlainRequest {
  readonly method?: string;
  readonly rawPath?: string;
  readonly rawQuery?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Signing {
  readonly request: SignedRequest;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
}

function signatureOf({ request, signedHeaders, payloadHash }: Signing, options: SignOptions): string {
  const { secretAccessKey, service, region = "us-west-2", at } = options;
  const canonical = canonicalRequest(request, { isS3: service === "s3", signedHeaders, payloadHash });
  const scope = `${at.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${hash("sha256", canonical, "hex")}`;
  const key = new SigningKeys().keyFor(secretAccessKey, { date: at.slice(0, 8), region, service });
  return key.sign(text);
}

const credentialOf = ({ accessKeyId, at, region = "us-west-2", service }: SignOptions): string =>
  `${accessKeyId}/${at.slice(0, 8)}/${region}/${service}/aws4_request`;

/** The request with x-amz-date and Authorization, and for S3 x-amz-content-sha256. */
export function signHeaders(plain: PlainRequest, options: SignOptions): SignedRequest {
  const { method = "POST", rawPath = "/", rawQuery = "" } = plain;
  const { at, body = "", payload = hash("sha256", body, "hex"), service, sessionToken, unsignedHeaders = [] } = options;
  const headers: Record<string, string> = {
    host: "127.0.0.1:7243",
    ...plain.headers,
    "x-amz-date": at,
    ...(service === "s3" ? { "x-amz-content-sha256": payload } : {}),
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  const signedHeaders = Object.keys(headers)
    .filter((name) => !unsignedHeaders.includes(name))
    .sort();
  const request = { method, rawPath, rawQuery, headers };
  const signature = signatureOf({ request, signedHeaders, payloadHash: payload }, options);
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentialOf(options)}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`;
  return { ...request, headers: { ...headers, authorization } };
}

const encoded = (text: string): string => uriEncode(Buffer.from(text, "utf8"));

/** The request with the signature in its query. */
export function presign(
  plain: PlainRequest,
  options: SignOptions & { readonly expiresSeconds: number },
): SignedRequest {
  const { method = "GET", rawPath = "/", rawQuery = "", headers = {} } = plain;
  const { at, expiresSeconds, sessionToken, service, body = "" } = options;
  const payloadHash = options.payload ?? (service === "s3" ? "UNSIGNED-PAYLOAD" : hash("sha256", body, "hex"));
  const sent = { host: "127.0.0.1:7243", ...headers };
  const signedHeaders = Object.keys(sent).sort();
  const query = [
    rawQuery,
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encoded(credentialOf(options))}`,
    `X-Amz-Date=${at}`,
    `X-Amz-Expires=${expiresSeconds}`,
    ...(sessionToken === undefined ? [] : [`X-Amz-Security-Token=${encoded(sessionToken)}`]),
    `X-Amz-SignedHeaders=${encoded(signedHeaders.join(";"))}`,
  ];
  const request = { method, rawPath, rawQuery: query.filter((part) => part !== "").join("&"), headers: sent };
  const signature = signatureOf({ request, signedHeaders, payloadHash }, options);
  return { ...request, rawQuery: `${request.rawQuery}&X-Amz-Signature=${signature}` };
}
