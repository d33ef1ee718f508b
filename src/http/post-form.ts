// Stage: a browser's upload form becomes a PutObject, proved by the form's policy instead of a signed request.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
import { Readable } from "node:stream";
import { AwsError } from "../lib/aws-error.ts";
import { signatureError } from "../protocols/signature-errors.ts";
import type { SigningKeys } from "../protocols/signing-keys.ts";
import { escapeXml, parseXml } from "../protocols/xml.ts";
import { checkPostPolicy, withinRange } from "../services/s3/index.ts";
import type { Exchange, PipelineOptions, Stage } from "./exchange.ts";
import { formClaim, proveForm } from "./form-signature.ts";
import type { HttpAnswer, HttpRequest } from "./http-request.ts";
import { formBoundary, readUploadForm, type UploadForm } from "./multipart-form.ts";

type Fields = ReadonlyMap<string, string>;

/** Fields that become headers of the PutObject under their own names, beside those that begin with x-amz-. */
const sameHeaders = ["cache-control", "content-type", "content-disposition", "content-encoding", "expires"];
const ofSignature = /^x-amz-(?:algorithm|credential|date|signature|security-token)$/;

const invalidArgument = (message: string, name: string): AwsError =>
  new AwsError("InvalidArgument", message, { httpStatus: 400, fields: { ArgumentName: name, ArgumentValue: "" } });

/** The bucket that a form is posted to: its whole path, or its host. */
function formBucket({ rawPath, bucket }: HttpRequest): string | undefined {
  if (bucket !== undefined) return rawPath === "/" ? bucket : undefined;
  return /^\/([^/]+)\/?$/.exec(rawPath)?.[1];
}

function filledIn({ fields, fileName }: UploadForm, bucket: string): Fields {
  const filled = new Map([["bucket", bucket]]);
  for (const [name, value] of fields) filled.set(name, value.replaceAll("${filename}", fileName));
  return filled;
}

/** The tagging field is a document, the header a query string. */
function taggingHeader(document: string): string {
  const tags = parseXml(document)?.children.find(({ name }) => name === "TagSet")?.children;
  if (!tags) throw new AwsError("MalformedXML", "The tagging field is not well-formed XML.", { httpStatus: 400 });
  const query = new URLSearchParams();
  for (const tag of tags) {
    const text = (wanted: string): string => tag.children.find(({ name }) => name === wanted)?.text ?? "";
    query.append(text("Key"), text("Value"));
  }
  return query.toString();
}

function objectHeaders(fields: Fields, host: string): Record<string, string> {
  const headers: Record<string, string> = { host };
  for (const [name, value] of fields) {
    const isHeader = sameHeaders.includes(name) || (name.startsWith("x-amz-") && !ofSignature.test(name));
    if (isHeader) headers[name] = value;
    else if (name === "acl") headers["x-amz-acl"] = value;
    else if (name === "tagging") headers["x-amz-tagging"] = taggingHeader(value);
  }
  return headers;
}

const encodedKey = (key: string): string => key.split("/").map(encodeURIComponent).join("/");

function putRequest(
  http: HttpRequest,
  path: string,
  headers: Record<string, string>,
  file: AsyncIterable<Uint8Array>,
): HttpRequest {
  return {
    method: "PUT",
    rawPath: path,
    rawQuery: "",
    headers,
    host: http.host,
    bucket: undefined,
    isSecure: http.isSecure,
    remoteAddress: http.remoteAddress,
    get signal() {
      return http.signal;
    },
    hasBody: true,
    streamBody: () => Readable.from(file, { objectMode: false }),
    wholeBody: async () => {
      throw new Error("an object's bytes stream");
    },
  };
}

function redirectTarget(fields: Fields, bucket: string, key: string, eTag: string): string | undefined {
  const wanted = fields.get("success_action_redirect") ?? fields.get("redirect");
  if (wanted === undefined || !URL.canParse(wanted)) return undefined;
  const target = new URL(wanted);
  if (target.protocol !== "http:" && target.protocol !== "https:") return undefined;
  target.searchParams.append("bucket", bucket);
  target.searchParams.append("key", key);
  target.searchParams.append("etag", eTag);
  return target.href;
}

function formAnswer(put: HttpAnswer, fields: Fields, http: HttpRequest, path: string): HttpAnswer {
  const key = fields.get("key") ?? "";
  const bucket = fields.get("bucket") ?? "";
  const eTag = put.headers["etag"] ?? put.headers["ETag"] ?? "";
  const redirect = redirectTarget(fields, bucket, key, eTag);
  const { "content-length": _, ...headers } = put.headers;
  if (redirect !== undefined) return { status: 303, headers: { ...headers, location: redirect }, body: undefined };
  const location = `${http.isSecure ? "https" : "http"}://${http.host}${http.bucket === undefined ? path : path.slice(bucket.length + 1)}`;
  const wanted = fields.get("success_action_status");
  const answered = { ...headers, location };
  if (wanted !== "201") return { status: wanted === "200" ? 200 : 204, headers: answered, body: undefined };
  const element = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`;
  const members = `${element("Location", location)}${element("Bucket", bucket)}${element("Key", key)}${element("ETag", eTag)}`;
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${members}</PostResponse>`;
  return { status: 201, headers: { ...answered, "content-type": "application/xml" }, body };
}

export interface FormStages {
  /** Finds the operation of the PutObject. */
  readonly find: Stage;
  /** Of a form that nobody signed: may a stranger put this? */
  readonly stranger: Stage;
  /** From the handler's being there to its answer. */
  readonly rest: readonly Stage[];
}

async function firstAnswer(stages: readonly Stage[], exchange: Exchange): Promise<HttpAnswer> {
  for (const stage of stages) {
    const answer = await stage(exchange);
    if (answer) return answer;
  }
  throw new Error("the last stage must answer");
}

type Proven = Pick<Exchange, "caller" | "verified">;

/** Nothing is proved of a form without signature. */
async function provenBy(
  fields: Fields,
  policy: string | undefined,
  options: PipelineOptions,
  keys: SigningKeys,
): Promise<Proven> {
  const claim = formClaim(fields);
  if (!claim) return {};
  if (claim.kind !== "claim") throw signatureError(claim, "rest-xml");
  if (policy === undefined) throw invalidArgument("Bucket POST must contain a field named 'policy'.", "policy");
  return proveForm(claim, policy, options, keys);
}

interface Posted {
  readonly bucket: string;
  readonly boundary: string;
}

function postedForm({ http, claim }: Exchange): Posted | undefined {
  if (http.method !== "POST" || claim.kind !== "unsigned") return undefined;
  const boundary = formBoundary(http.headers["content-type"]);
  const bucket = boundary === undefined ? undefined : formBucket(http);
  return boundary === undefined || bucket === undefined ? undefined : { boundary, bucket };
}

/** Answers POSTs of multipart/form-data to a bucket; everything else goes on. */
export const postForm =
  (options: PipelineOptions, keys: SigningKeys, stages: FormStages): Stage =>
  async (exchange) => {
    const posted = postedForm(exchange);
    if (!posted) return undefined;
    const { http, requestId, claim } = exchange;
    const form = await readUploadForm(http.streamBody(), posted.boundary);
    const fields = filledIn(form, posted.bucket);
    const key = fields.get("key");
    if (key === undefined) throw invalidArgument("Bucket POST must contain a field named 'key'.", "key");
    // As it was signed: nothing filled in.
    const policy = form.fields.get("policy");
    const proven = await provenBy(fields, policy, options, keys);
    const path = `/${posted.bucket}/${encodedKey(key)}`;
    const nowMs = options.clock.now().getTime();
    const file = policy === undefined ? form.file : withinRange(form.file, checkPostPolicy(policy, fields, nowMs));
    const request = putRequest(http, path, objectHeaders(fields, http.host), file);
    const put: Exchange = { ...proven, http: request, requestId, claim };
    const strangers = proven.caller ? [] : [stages.stranger];
    const answer = await firstAnswer([stages.find, ...strangers, ...stages.rest], put);
    return answer.status < 300 ? formAnswer(answer, fields, http, path) : answer;
  };
