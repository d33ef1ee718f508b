// boto3's older signatures and browsers' forms over a real socket, against a real S3.
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { amzDate } from "../protocols/signature-v4.ts";
import { SigningKeys } from "../protocols/signing-keys.ts";
import { createFakeS3 } from "../services/s3/s3.fake.ts";
import { account, rootKey, startHttp, type FakeHttp } from "./http.fake.ts";

const sha1 = (text: string): string => createHmac("sha1", rootKey.secretAccessKey).update(text).digest("base64");
const nowSeconds = (): number => Math.floor(systemClock.now().getTime() / 1000);

async function start(): Promise<FakeHttp & { readonly bytes: (key: string) => Promise<string> }> {
  const { s3, store, call, bytes } = await createFakeS3();
  await call("CreateBucket", { Bucket: "digits" }, { account, region: "us-east-1" });
  await call("PutObject", { Bucket: "digits", Key: "a b.txt", Body: "hello" }, { account });
  const http = await startHttp({ services: [s3.service], store });
  return { ...http, bytes: async (key) => (await bytes("digits", key)).toString() };
}

interface Presigning {
  readonly expires?: number;
  readonly resource?: string;
  readonly lines?: string;
}

function presignedQuery(
  method: string,
  { expires = nowSeconds() + 60, resource = "", lines = "" }: Presigning,
): string {
  const signature = sha1(`${method}\n\n\n${expires}\n${lines}/digits/a%20b.txt${resource}`);
  return `AWSAccessKeyId=${rootKey.accessKeyId}&Signature=${encodeURIComponent(signature)}&Expires=${expires}`;
}

async function fetched(
  url: string,
  init?: RequestInit,
): Promise<{ status: number; code: string | undefined; text: string }> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  return { status: answer.status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1], text };
}

test("a URL presigned with version 2 works as often as one likes until it expires", async () => {
  const http = await start();
  const url = `${http.url}/digits/a%20b.txt?${presignedQuery("GET", {})}`;
  expect(await fetched(url)).toMatchObject({ status: 200, text: "hello" });
  expect(await fetched(url)).toMatchObject({ status: 200, text: "hello" });
  const expired = `${http.url}/digits/a%20b.txt?${presignedQuery("GET", { expires: nowSeconds() - 1 })}`;
  const refused = await fetched(expired);
  expect(refused).toMatchObject({ status: 403, code: "AccessDenied" });
  expect(refused.text).toContain("Request has expired");
});

test.each([
  ["another method", "PUT", "/digits/a%20b.txt", "", {}],
  ["another key", "GET", "/digits/b.txt", "", {}],
  ["a response header that was not signed", "GET", "/digits/a%20b.txt", "&response-content-type=text/html", {}],
  ["a sub-resource that was not signed", "GET", "/digits/a%20b.txt", "&tagging", {}],
  ["a sub-resource that version 2 does not know", "GET", "/digits/a%20b.txt", "&attributes", {}],
  ["a header that was not signed", "GET", "/digits/a%20b.txt", "", { "x-amz-request-payer": "requester" }],
])("a URL presigned with version 2 refuses %s", async (_, method, path, more, headers) => {
  const http = await start();
  const query = presignedQuery("GET", {});
  const answer = await fetched(`${http.url}${path}?${query}${more}`, {
    method,
    headers,
    ...(method === "PUT" && { body: "x" }),
  });
  expect(answer).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
});

test("version 2 signs response parameters decoded, and headers that boto3 moves into the query", async () => {
  const http = await start();
  const query = presignedQuery("GET", { resource: "?response-content-type=text/a b" });
  const answer = await fetch(`${http.url}/digits/a%20b.txt?response-content-type=text%2Fa%20b&${query}`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/a b"]);
  const put = presignedQuery("PUT", { lines: "x-amz-meta-hand:left\n" });
  const stored = await fetch(`${http.url}/digits/a%20b.txt?x-amz-meta-hand=left&${put}`, {
    method: "PUT",
    body: Buffer.from("new"),
  });
  expect(stored.status).toBe(200);
  const head = await fetch(`${http.url}/digits/a%20b.txt?${presignedQuery("HEAD", {})}`, { method: "HEAD" });
  expect([head.status, head.headers.get("x-amz-meta-hand")]).toEqual([200, "left"]);
});

test("version 2 names a bucket that stands in the host, and an unknown key", async () => {
  const http = await start();
  const virtual = await http.raw(
    `GET /a%20b.txt?${presignedQuery("GET", {})} HTTP/1.1\r\nHost: digits.s3.localhost:${http.port}\r\nConnection: close\r\n\r\n`,
  );
  expect(virtual).toContain("hello");
  const query = presignedQuery("GET", {}).replace(rootKey.accessKeyId, "AKIANOBODY0000000000");
  expect(await fetched(`${http.url}/digits/a%20b.txt?${query}`)).toMatchObject({
    status: 403,
    code: "InvalidAccessKeyId",
  });
});

test.each(["/digits", "/digits/"])("version 2 takes a bucket that was signed as %s", async (signed) => {
  const http = await start();
  const expires = nowSeconds() + 60;
  const signature = encodeURIComponent(sha1(`GET\n\n\n${expires}\n${signed}`));
  const query = `list-type=2&AWSAccessKeyId=${rootKey.accessKeyId}&Signature=${signature}&Expires=${expires}`;
  const answer = await fetched(`${http.url}/digits?${query}`);
  expect(answer.status).toBe(200);
  expect(answer.text).toContain("<Key>a b.txt</Key>");
});

test("the Authorization header of version 2 is verified, and its date with it", async () => {
  const http = await start();
  const send = (date: Date, secretPath: string) => {
    const signature = sha1(`GET\n\n\n\nx-amz-date:${date.toUTCString()}\n${secretPath}`);
    const headers = { "x-amz-date": date.toUTCString(), authorization: `AWS ${rootKey.accessKeyId}:${signature}` };
    return fetched(`${http.url}/digits/a%20b.txt`, { headers });
  };
  const now = systemClock.now();
  expect(await send(now, "/digits/a%20b.txt")).toMatchObject({ status: 200, text: "hello" });
  expect(await send(now, "/digits/other")).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
  for (const minutes of [-16, 16]) {
    const skewed = new Date(now.getTime() + minutes * 60_000);
    expect(await send(skewed, "/digits/a%20b.txt")).toMatchObject({ status: 403, code: "RequestTimeTooSkewed" });
  }
});

interface FormOptions {
  readonly conditions?: readonly unknown[];
  readonly fields?: Readonly<Record<string, string>>;
  readonly content?: string;
  readonly expiresInSeconds?: number;
  readonly version?: 2 | 4;
  readonly spoil?: (form: FormData) => void;
}

const keys = new SigningKeys();

function signedForm(options: FormOptions): FormData {
  const { conditions = [], fields = {}, content = "bytes", expiresInSeconds = 60, version = 2, spoil } = options;
  const at = amzDate(systemClock.now().getTime());
  const scope = { date: at.slice(0, 8), region: "us-west-2", service: "s3" };
  const credential = `${rootKey.accessKeyId}/${scope.date}/us-west-2/s3/aws4_request`;
  const v4 = { "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": credential, "x-amz-date": at };
  const expiration = new Date(systemClock.now().getTime() + expiresInSeconds * 1000).toISOString();
  const document = {
    expiration,
    conditions: [
      { bucket: "digits" },
      ["starts-with", "$key", "up/"],
      ...(version === 4 ? Object.entries(v4).map(([name, value]) => ({ [name]: value })) : []),
      ...conditions,
    ],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString("base64");
  const form = new FormData();
  const signature =
    version === 2
      ? { AWSAccessKeyId: rootKey.accessKeyId, signature: sha1(policy) }
      : { ...v4, "x-amz-signature": keys.keyFor(rootKey.secretAccessKey, scope).sign(policy) };
  const all = { key: "up/${filename}", ...fields, ...signature, policy };
  for (const [name, value] of Object.entries(all)) form.append(name, value);
  spoil?.(form);
  form.append("file", new Blob([content]), "left.png");
  return form;
}

const post = (http: FakeHttp, options: FormOptions) =>
  fetched(`${http.url}/digits`, { method: "POST", body: signedForm(options), redirect: "manual" });

test.each([2, 4] as const)("a form whose policy is signed with version %i stores its file", async (version) => {
  const http = await start();
  const content = `${"\r\n--x".repeat(50_000)}\r\n-`;
  expect(await post(http, { version, content })).toMatchObject({ status: 204, text: "" });
  expect(await http.bytes("up/left.png")).toBe(content);
});

test("a form's fields become the object's headers, and it chooses its answer", async () => {
  const http = await start();
  const created = await post(http, {
    fields: { "Content-Type": "image/png", "x-amz-meta-hand": "left", success_action_status: "201" },
    conditions: [["eq", "$Content-Type", "image/png"], { "x-amz-meta-hand": "left" }, { success_action_status: "201" }],
  });
  expect(created.status).toBe(201);
  expect(created.text).toMatch(
    /<PostResponse><Location>.*<\/Location><Bucket>digits<\/Bucket><Key>up\/left.png<\/Key>/,
  );
  const answer = await fetch(`${http.url}/digits`, {
    method: "POST",
    redirect: "manual",
    body: signedForm({
      fields: { success_action_redirect: "http://127.0.0.1/done?a=1" },
      conditions: [["starts-with", "$success_action_redirect", ""]],
    }),
  });
  expect(answer.status).toBe(303);
  expect(answer.headers.get("location")).toMatch(
    /^http:\/\/127\.0\.0\.1\/done\?a=1&bucket=digits&key=up%2Fleft\.png&etag=/,
  );
});

test.each<[string, FormOptions, number, string, string]>([
  ["expired", { expiresInSeconds: -1 }, 403, "AccessDenied", "Policy expired"],
  [
    "with a field that no condition names",
    { fields: { acl: "private" } },
    403,
    "AccessDenied",
    "Extra input fields: acl",
  ],
  ["with another key", { fields: { key: "down/x" } }, 403, "AccessDenied", "Policy Condition failed"],
  ["too large", { conditions: [["content-length-range", 0, 4]] }, 400, "EntityTooLarge", ""],
  ["too small", { conditions: [["content-length-range", 6, 9]] }, 400, "EntityTooSmall", ""],
  ["with another signature", { spoil: (form) => form.set("signature", sha1("x")) }, 403, "SignatureDoesNotMatch", ""],
  ["with another policy", { spoil: (form) => form.set("policy", "e30=") }, 403, "SignatureDoesNotMatch", ""],
  [
    "of an unknown key",
    { spoil: (form) => form.set("AWSAccessKeyId", "AKIANOBODY0000000000") },
    403,
    "InvalidAccessKeyId",
    "",
  ],
  [
    "without a signature",
    { spoil: (form) => (form.delete("AWSAccessKeyId"), form.delete("signature")) },
    403,
    "AccessDenied",
    "",
  ],
  ["with a condition that is none", { conditions: [["like", "$key", "x"]] }, 400, "InvalidPolicyDocument", ""],
])("a form %s is refused and leaves nothing", async (_, options, status, code, text) => {
  const http = await start();
  const answer = await post(http, options);
  expect(answer).toMatchObject({ status, code });
  expect(answer.text).toContain(text);
  await expect(http.bytes("up/left.png")).rejects.toMatchObject({ code: "NoSuchKey" });
  expect(http.errors).toEqual([]);
});

test("a form that ends before its file does is refused", async () => {
  const http = await start();
  const form = new Response(signedForm({}));
  const type = form.headers.get("content-type") ?? "";
  const body = Buffer.from(await form.arrayBuffer());
  const cut = body.subarray(0, body.length - 10);
  const head = `POST /digits HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: ${cut.length}\r\nConnection: close\r\n\r\n`;
  const answer = await http.raw(Buffer.concat([Buffer.from(head), cut]));
  expect(answer).toContain("MalformedPOSTRequest");
  await expect(http.bytes("up/left.png")).rejects.toMatchObject({ code: "NoSuchKey" });
});
