import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { hash } from "node:crypto";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { chunkSignatures } from "./chunk-signatures.ts";
import { presign, signHeaders, type PlainRequest, type SignOptions } from "./sign-v4.fake.ts";
import { readSignature, verifySignature, type SignedRequest, type VerifiedSignature } from "./signature-v4.ts";
import { SigningKeys } from "./signing-keys.ts";

const may24 = Date.UTC(2013, 4, 24);
const aug30 = Date.UTC(2015, 7, 30, 12, 36);
const s3Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const suiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const emptyHash = hash("sha256", "", "hex");

interface Check {
  readonly secretAccessKey?: string;
  readonly nowMs?: number;
  readonly body?: Uint8Array | string | undefined;
}

function verify(request: SignedRequest, { secretAccessKey = s3Secret, nowMs = may24, body }: Check = {}) {
  const claim = readSignature(request);
  if (claim.kind !== "claim") return claim;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return verifySignature({ request, claim, secretAccessKey, keys: new SigningKeys(), nowMs, body: bytes });
}

const s3Request = (
  plain: PlainRequest & { readonly signature: string; readonly host?: string; readonly payload?: string },
): SignedRequest => {
  const headers: Record<string, string> = {
    host: plain.host ?? "examplebucket.s3.amazonaws.com",
    "x-amz-content-sha256": plain.payload ?? emptyHash,
    "x-amz-date": "20130524T000000Z",
    ...plain.headers,
  };
  const names = Object.keys(headers).sort().join(";");
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${plain.signature}`;
  return {
    method: plain.method ?? "GET",
    rawPath: plain.rawPath ?? "/",
    rawQuery: plain.rawQuery ?? "",
    headers: { ...headers, authorization },
  };
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, its four examples
test.each<[string, SignedRequest, string]>([
  [
    "GET with Range",
    s3Request({
      rawPath: "/test.txt",
      headers: { range: "bytes=0-9" },
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    }),
    "",
  ],
  [
    "PUT with a dollar in the key",
    s3Request({
      method: "PUT",
      rawPath: "/test%24file.text",
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    }),
    "Welcome to Amazon S3.",
  ],
  [
    "GET of a subresource",
    s3Request({
      rawQuery: "lifecycle",
      signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    }),
    "",
  ],
  [
    "GET of a list",
    s3Request({
      rawQuery: "max-keys=2&prefix=J",
      signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    }),
    "",
  ],
])("accepts AWS's published S3 signature: %s", (_, request, body) => {
  expect(verify(request, { body })).toMatchObject({ kind: "verified" });
});

const suiteRequest = (signature: string, plain: PlainRequest, service = "service"): SignedRequest => {
  const headers: Record<string, string> = {
    host: "example.amazonaws.com",
    "x-amz-date": "20150830T123600Z",
    ...plain.headers,
  };
  const names = Object.keys(headers).sort().join(";");
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/${service}/aws4_request, SignedHeaders=${names}, Signature=${signature}`;
  const { method = "GET", rawPath = "/", rawQuery = "" } = plain;
  return { method, rawPath, rawQuery, headers: { ...headers, authorization } };
};

// AWS's Signature Version 4 test suite (aws-sig-v4-test-suite), and the IAM example of the general reference.
test.each<[string, SignedRequest]>([
  ["get-vanilla", suiteRequest("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", {})],
  [
    "get-vanilla-query-order-key-case",
    suiteRequest("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500", {
      rawQuery: "Param2=value2&Param1=value1",
    }),
  ],
  [
    "post-vanilla",
    suiteRequest("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", { method: "POST" }),
  ],
  [
    "get-relative",
    suiteRequest("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", { rawPath: "/example/.." }),
  ],
  [
    "get-slashes",
    suiteRequest("9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84", { rawPath: "//example//" }),
  ],
  [
    "IAM ListUsers",
    suiteRequest(
      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
      {
        rawQuery: "Action=ListUsers&Version=2010-05-08",
        headers: {
          host: "iam.amazonaws.com",
          "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        },
      },
      "iam",
    ),
  ],
])("accepts AWS's test suite: %s", (_, request) => {
  expect(verify(request, { secretAccessKey: suiteSecret, nowMs: aug30, body: "" })).toMatchObject({ kind: "verified" });
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
const presigned: SignedRequest = {
  method: "GET",
  rawPath: "/test.txt",
  rawQuery:
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  headers: { host: "examplebucket.s3.amazonaws.com" },
};

test("accepts AWS's published presigned URL until it expires", () => {
  expect(verify(presigned)).toMatchObject({ kind: "verified" });
  expect(verify(presigned, { nowMs: may24 + 86_400_000 })).toMatchObject({ kind: "verified" });
  expect(verify(presigned, { nowMs: may24 + 86_400_001 })).toMatchObject({ kind: "presigned-expired" });
  expect(verify(presigned, { nowMs: may24 - 900_001 })).toMatchObject({ kind: "not-yet-current" });
});

const streamed = (payload: string, signature: string, more: Record<string, string>): VerifiedSignature => {
  const verified = verify(
    s3Request({
      method: "PUT",
      host: "s3.amazonaws.com",
      rawPath: "/examplebucket/chunkObject.txt",
      payload,
      signature,
      headers: {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        ...more,
      },
    }),
  );
  if (verified.kind !== "verified") throw new Error(verified.kind);
  return verified;
};

async function decoded(verified: VerifiedSignature, frames: string, trailerNames: string[], pieceBytes: number) {
  const bytes = Buffer.from(frames, "latin1");
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const verifier = chunkSignatures(verified);
  const { body, trailers } = decodeAwsChunked(pieces(), { decodedBytes: 66_560, verifier, trailerNames });
  const data = Buffer.concat(await body.toArray());
  return { data: data.toString("latin1"), trailers: await trailers };
}

const frame = (data: string, signature: string): string =>
  `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}\r\n`;
const a = (count: number): string => "a".repeat(count);

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
const signedFrames =
  frame(a(65_536), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
  frame(a(1_024), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
  frame("", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
const seed = () =>
  streamed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9", {
    "content-length": "66824",
  });

test.each([1_048_576, 1_000, 7])(
  "accepts AWS's published chunk signatures in pieces of %i bytes",
  async (pieceBytes) => {
    expect(await decoded(seed(), signedFrames, [], pieceBytes)).toEqual({ data: a(66_560), trailers: {} });
  },
);

test("refuses a changed, a missing and a reordered chunk", async () => {
  await expect(decoded(seed(), signedFrames.replace("aaa\r\n", "aab\r\n"), [], 9_999)).rejects.toThrow("signature");
  const withoutSecond = signedFrames.slice(0, 65_536 + 90) + signedFrames.slice(-88);
  await expect(decoded(seed(), withoutSecond, [], 9_999)).rejects.toThrow();
  const [first, second] = [signedFrames.slice(0, -88 - 1_113), signedFrames.slice(-88 - 1_113, -88)];
  await expect(decoded(seed(), second + first + signedFrames.slice(-88), [], 9_999)).rejects.toThrow();
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
test("accepts AWS's published trailer signature, and refuses another checksum in it", async () => {
  const frames = (checksum: string) =>
    frame(a(65_536), "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2") +
    frame(a(1_024), "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7") +
    "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
    `x-amz-checksum-crc32c:${checksum}\r\n` +
    "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  const start = () =>
    streamed(
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
      { "x-amz-trailer": "x-amz-checksum-crc32c" },
    );
  const names = ["x-amz-checksum-crc32c"];
  const { trailers } = await decoded(start(), frames("sOO8/Q=="), names, 1_000);
  expect(trailers).toEqual({ "x-amz-checksum-crc32c": "sOO8/Q==" });
  await expect(decoded(start(), frames("AAAAAA=="), names, 1_000)).rejects.toThrow("signature");
});

const at = "20260101T000000Z";
const now = Date.UTC(2026, 0, 1);
const options: SignOptions = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "secret",
  service: "sagemaker",
  at,
  body: "{}",
};
const plain: PlainRequest = {
  rawPath: "/endpoints/a%3Ab/invocations",
  rawQuery: "b=2&a=1",
  headers: { "content-type": "application/json", "x-amz-target": "SageMaker.ListModels" },
};
const signed = signHeaders(plain, options);
const change = (headers: Record<string, string>): SignedRequest => ({
  ...signed,
  headers: { ...signed.headers, ...headers },
});
const emptyDeclared = signHeaders(
  { ...plain, headers: { ...plain.headers, "x-amz-content-sha256": emptyHash } },
  { ...options, payload: emptyHash },
);
const check = { secretAccessKey: "secret", nowMs: now, body: "{}" };

test("a signed request may be repeated, its parameters reordered, and its unsigned headers added to", () => {
  expect(verify(signed, check)).toMatchObject({ kind: "verified" });
  expect(verify(signed, check)).toMatchObject({ kind: "verified" });
  expect(verify({ ...signed, rawQuery: "a=1&b=2" }, check)).toMatchObject({ kind: "verified" });
  expect(verify(change({ "user-agent": "other" }), check)).toMatchObject({ kind: "verified" });
});

test.each<[string, string, SignedRequest, Check]>([
  ["another body", "mismatch", signed, { ...check, body: "{ }" }],
  ["another declared body", "body-mismatch", emptyDeclared, check],
  ["another header", "mismatch", change({ "x-amz-target": "SageMaker.DeleteModel" }), check],
  ["another method", "mismatch", { ...signed, method: "GET" }, check],
  ["another path", "mismatch", { ...signed, rawPath: "/endpoints/a%3Ac/invocations" }, check],
  ["a parameter more", "mismatch", { ...signed, rawQuery: "b=2&a=1&c=" }, check],
  ["a parameter changed", "mismatch", { ...signed, rawQuery: "b=2&a=2" }, check],
  ["another host", "mismatch", change({ host: "example.com" }), check],
  ["a later date", "mismatch", change({ "x-amz-date": "20260101T000001Z" }), check],
  ["a date of another day", "malformed", change({ "x-amz-date": "20260102T000000Z" }), check],
  ["an unsigned x-amz header", "headers-not-signed", change({ "x-amz-acl": "public-read" }), check],
  ["another secret", "mismatch", signed, { ...check, secretAccessKey: "Secret" }],
  ["16 minutes late", "too-old", signed, { ...check, nowMs: now + 16 * 60_000 }],
  ["16 minutes early", "not-yet-current", signed, { ...check, nowMs: now - 16 * 60_000 }],
  ["no authorization", "unsigned", change({ authorization: "" }), check],
  ["basic authorization", "malformed", change({ authorization: "Basic Zm9vOmJhcg==" }), check],
  ["no signature", "malformed", change({ authorization: "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request" }), check],
  ["host not signed", "malformed", signHeaders(plain, { ...options, unsignedHeaders: ["host"] }), check],
])("refuses %s: %s", (_, kind, request, how) => {
  expect(verify(request, how)).toMatchObject({ kind });
});

// "x-amz-content-sha256" added after signing must not reach "body-mismatch" with a hash that fits, either.
test("refuses a body hash that was not signed", () => {
  const added = change({ "x-amz-content-sha256": hash("sha256", "{}", "hex") });
  expect(verify(added, check)).toMatchObject({ kind: "headers-not-signed" });
});

test("S3 keys with dots, doubled slashes, spaces and letters beyond ASCII verify as they are sent", () => {
  for (const rawPath of [
    "/b/./dot/../up",
    "/b//dir//x",
    "/b/%C3%BC/%C3%A9~!*'().txt",
    "/b/x=y&z;%2525.txt",
    "/b/a+b",
  ]) {
    const request = signHeaders({ method: "GET", rawPath }, { ...options, service: "s3", body: "" });
    expect(verify(request, { ...check, body: "" })).toMatchObject({ kind: "verified" });
    const other = { ...request, rawPath: rawPath.replace(/.$/, "_") };
    expect(verify(other, { ...check, body: "" })).toMatchObject({ kind: "mismatch" });
  }
});

test("a presigned request covers its query and refuses more than a week", () => {
  const request = presign(
    { rawPath: "/b/k", rawQuery: "partNumber=1" },
    { ...options, service: "s3", expiresSeconds: 60, sessionToken: "a+b/c=" },
  );
  const { body: _, ...rest } = check;
  expect(verify(request, rest)).toMatchObject({ kind: "verified", claim: { sessionToken: "a+b/c=" } });
  const changed = { ...request, rawQuery: request.rawQuery.replace("partNumber=1", "partNumber=2") };
  expect(verify(changed, rest)).toMatchObject({ kind: "mismatch" });
  const longer = { ...request, rawQuery: request.rawQuery.replace("Expires=60", "Expires=61") };
  expect(verify(longer, rest)).toMatchObject({ kind: "mismatch" });
  const tooLong = presign({}, { ...options, service: "s3", expiresSeconds: 604_801 });
  expect(verify(tooLong, rest)).toMatchObject({ kind: "malformed" });
});

test("signing keys are kept, a bounded number of them, and each is right", () => {
  const keys = new SigningKeys(2);
  const scope = (date: string) => ({ date, region: "us-east-1", service: "iam" });
  const first = keys.keyFor(suiteSecret, scope("20150830"));
  expect(keys.keyFor(suiteSecret, scope("20150830"))).toBe(first);
  // The general reference's example key.
  const example = Buffer.from("c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9", "hex");
  for (const text of ["", "what is signed", "größer ✓".repeat(100)])
    expect(first.sign(text)).toBe(createHmac("sha256", example).update(text).digest("hex"));
  keys.keyFor(suiteSecret, scope("20150831"));
  keys.keyFor(suiteSecret, scope("20150901"));
  expect(keys.keyFor(suiteSecret, scope("20150830"))).not.toBe(first);
});
