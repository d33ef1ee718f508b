// What goes over the wire, byte for byte, through listener and pipeline.
import { expect, test } from "vitest";
import { AwsError } from "../lib/aws-error.ts";
import { amzDate } from "../protocols/signature-v4.ts";
import { presign, signHeaders, type PlainRequest, type SignOptions } from "../protocols/sign-v4.fake.ts";
import { systemClock } from "../lib/clock.ts";
import { account, fakeService, region, rootKey, startHttp, type FakeHttp } from "./http.fake.ts";

type Signing = Partial<SignOptions> & { readonly service: string; readonly body?: string };

const nowText = (): string => amzDate(systemClock.now().getTime());

async function send({ url, port }: FakeHttp, plain: PlainRequest, signing: Signing, sent: { body?: string } = {}) {
  const options = { ...rootKey, at: nowText(), region, ...signing };
  const host = `127.0.0.1:${port}`;
  const { method, rawPath, rawQuery, headers } = signHeaders(
    { ...plain, headers: { host, ...plain.headers } },
    options,
  );
  const body = sent.body ?? signing.body;
  const answer = await fetch(`${url}${rawPath}${rawQuery === "" ? "" : `?${rawQuery}`}`, {
    method,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "host")),
    ...(body === undefined || method === "GET" || method === "HEAD" ? {} : { body }),
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const json = (operation: string): PlainRequest => ({
  headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `SageMaker.${operation}` },
});

const form = { "content-type": "application/x-www-form-urlencoded" };
const form2011 = "Action=GetCallerIdentity&Version=2011-06-15";

const sagemaker = fakeService("sagemaker", {
  DescribeModel: (input: { ModelName: string }, ctx) => {
    if (input.ModelName === "bug") throw new TypeError("undefined is not a secret");
    if (input.ModelName === "gone") throw new AwsError("ValidationException", 'Could not find model "gone".');
    if (input.ModelName === "full") throw Object.assign(new Error("disk"), { code: "ENOSPC" });
    return {
      ModelName: input.ModelName,
      ModelArn: `arn:aws:sagemaker:${ctx.region}:${ctx.account}:model/${input.ModelName}`,
      CreationTime: new Date(1_500),
    };
  },
});

test("JSON: a signed request reaches its handler with account and region, and its answer is written", async () => {
  const http = await startHttp({ services: [sagemaker] });
  const answer = await send(http, json("DescribeModel"), { service: "sagemaker", body: '{"ModelName":"m"}' });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/x-amz-json-1.1");
  expect(answer.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
  expect(answer.text).toBe(
    `{"ModelName":"m","CreationTime":1.5,"ModelArn":"arn:aws:sagemaker:us-west-2:${account}:model/m"}`,
  );
});

test.each([
  ["gone", 400, '{"__type":"ValidationException","message":"Could not find model \\"gone\\"."}'],
  ["full", 503, '{"__type":"ServiceUnavailable","message":"The server\'s disk is full."}'],
  [
    "bug",
    500,
    '{"__type":"InternalFailure","message":"The request processing has failed because of an unknown error, exception or failure."}',
  ],
])("JSON: the handler's error %s answers %i without details", async (name, status, text) => {
  const http = await startHttp({ services: [sagemaker] });
  const body = JSON.stringify({ ModelName: name });
  const answer = await send(http, json("DescribeModel"), { service: "sagemaker", body });
  expect([answer.status, answer.text]).toEqual([status, text]);
  const logged = http.errors.map(({ message, requestId }) => [message, requestId]);
  const requestId = answer.headers.get("x-amzn-requestid");
  expect(logged).toEqual(status >= 500 ? [["request failed", requestId]] : []);
});

test("an operation without handler answers 501 and names itself, in every protocol", async () => {
  const http = await startHttp();
  const [viaJson, viaQuery, viaRest, viaS3] = [
    await send(http, json("ListModels"), { service: "sagemaker", body: "{}" }),
    await send(http, { headers: form }, { service: "iam", body: "Action=ListVirtualMFADevices&Version=2010-05-08" }),
    await send(
      http,
      { rawPath: "/endpoints/e/invocations", headers: { "content-type": "text/csv" } },
      { service: "sagemaker", body: "1" },
    ),
    await send(http, { method: "GET", rawPath: "/" }, { service: "s3" }),
  ];
  expect([viaJson.status, viaQuery.status, viaRest.status, viaS3.status]).toEqual([501, 501, 501, 501]);
  const text = (operation: string) => `The operation ${operation} is not implemented by Salvia yet.`;
  expect(viaJson.text).toBe(`{"__type":"NotImplementedException","message":"${text("sagemaker.ListModels")}"}`);
  expect(viaQuery.text).toContain(
    `<Code>NotImplementedException</Code><Message>${text("iam.ListVirtualMFADevices")}</Message>`,
  );
  expect(viaRest.text).toContain(text("sagemaker-runtime.InvokeEndpoint"));
  expect(viaRest.headers.get("x-amzn-errortype")).toContain("NotImplementedException");
  expect(viaS3.text).toContain(text("s3.ListBuckets"));
});

test("query: a form in, XML out, also from a presigned GET", async () => {
  const http = await startHttp();
  const answer = await send(http, { headers: form }, { service: "sts", body: form2011 });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/xml");
  expect(answer.text.replace(/<RequestId>.*<\/RequestId>/, "")).toBe(
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
      `<UserId>${account}</UserId><Account>${account}</Account><Arn>arn:aws:iam::${account}:root</Arn>` +
      "</GetCallerIdentityResult><ResponseMetadata></ResponseMetadata></GetCallerIdentityResponse>",
  );
  const options = { ...rootKey, at: nowText(), region, service: "sts", expiresSeconds: 60 };
  const headers = { host: `127.0.0.1:${http.port}` };
  const { rawQuery } = presign({ method: "GET", rawQuery: form2011, headers }, options);
  expect((await fetch(`${http.url}/?${rawQuery}`)).status).toBe(200);
});

test.each<[string, string, Signing, { body?: string }, number, string]>([
  ["json", "another body", { service: "sagemaker", body: "{}" }, { body: "{ }" }, 400, "InvalidSignatureException"],
  [
    "json",
    "a wrong secret",
    { service: "sagemaker", body: "{}", secretAccessKey: "x" },
    {},
    400,
    "InvalidSignatureException",
  ],
  [
    "json",
    "an unknown key",
    { service: "sagemaker", body: "{}", accessKeyId: "AKIAX" },
    {},
    400,
    "UnrecognizedClientException",
  ],
  [
    "json",
    "an old date",
    { service: "sagemaker", body: "{}", at: "20200101T000000Z" },
    {},
    400,
    "InvalidSignatureException",
  ],
  ["json", "a wrong service", { service: "s3", body: "{}" }, {}, 400, "InvalidSignatureException"],
  [
    "json",
    "a bad token",
    { service: "sagemaker", body: "{}", sessionToken: "x" },
    {},
    400,
    "UnrecognizedClientException",
  ],
  [
    "query",
    "a wrong secret",
    { service: "sts", body: form2011, secretAccessKey: "x" },
    {},
    403,
    "SignatureDoesNotMatch",
  ],
  [
    "query",
    "an unknown key",
    { service: "sts", body: form2011, accessKeyId: "AKIAX" },
    {},
    403,
    "InvalidClientTokenId",
  ],
  [
    "query",
    "an old date",
    { service: "sts", body: form2011, at: "20200101T000000Z" },
    {},
    403,
    "SignatureDoesNotMatch",
  ],
  ["s3", "a wrong secret", { service: "s3", secretAccessKey: "x" }, {}, 403, "SignatureDoesNotMatch"],
  ["s3", "an unknown key", { service: "s3", accessKeyId: "AKIAX" }, {}, 403, "InvalidAccessKeyId"],
  ["s3", "an old date", { service: "s3", at: "20200101T000000Z" }, {}, 403, "RequestTimeTooSkewed"],
  ["s3", "a bad token", { service: "s3", sessionToken: "x" }, {}, 400, "InvalidToken"],
])("%s: %s is refused in the protocol's own words", async (protocol, _, signing, sent, status, code) => {
  const http = await startHttp({ services: [sagemaker] });
  const plain: PlainRequest =
    protocol === "json"
      ? json("DescribeModel")
      : protocol === "query"
        ? { headers: form }
        : { method: "GET", rawPath: "/b/k" };
  const answer = await send(http, plain, signing, sent);
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(code)]);
});

test("a request without signature is refused in the protocol's own words", async () => {
  const http = await startHttp({ services: [sagemaker] });
  const post = (headers: Record<string, string>, body: string) => fetch(http.url, { method: "POST", headers, body });
  const viaJson = await post({ "x-amz-target": "SageMaker.DescribeModel" }, "{}");
  expect([viaJson.status, await viaJson.text()]).toEqual([
    400,
    '{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}',
  ]);
  const viaQuery = await post(form, form2011);
  expect([viaQuery.status, await viaQuery.text()]).toEqual([
    403,
    expect.stringContaining("MissingAuthenticationToken"),
  ]);
  const viaS3 = await fetch(`${http.url}/bucket/key`);
  expect([viaS3.status, await viaS3.text()]).toEqual([403, expect.stringContaining("<Code>AccessDenied</Code>")]);
});

test("a signature for S3, whose bodies are not always signed, opens no other service", async () => {
  let calls = 0;
  const service = fakeService("sagemaker", { ListModels: () => void calls++ });
  const http = await startHttp({ services: [service] });
  const signing = { service: "s3", payload: "UNSIGNED-PAYLOAD", body: "{}" };
  const answer = await send(http, json("ListModels"), signing);
  expect([answer.status, calls]).toEqual([400, 0]);
});

test("whoever decides about permissions is asked after the signature and before the handler", async () => {
  const asked: unknown[] = [];
  const http = await startHttp({
    services: [sagemaker],
    authorise: async ({ caller, operation, region: where }) => {
      asked.push([caller.arn, operation.name, where]);
      throw new AwsError("AccessDeniedException", "no");
    },
  });
  const wrong = await send(http, json("DescribeModel"), { service: "sagemaker", body: "{}", secretAccessKey: "x" });
  expect([wrong.status, asked]).toEqual([400, []]);
  const answer = await send(http, json("DescribeModel"), { service: "sagemaker", body: '{"ModelName":"m"}' });
  expect(answer.text).toContain("AccessDeniedException");
  expect(asked).toEqual([[`arn:aws:iam::${account}:root`, "DescribeModel", "us-west-2"]]);
});

test("input that the model refuses never reaches the handler", async () => {
  const http = await startHttp({ services: [sagemaker] });
  const answer = await send(http, json("DescribeModel"), { service: "sagemaker", body: "{}" });
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("Member must not be null")]);
  const wrong = await send(http, json("DescribeModel"), { service: "sagemaker", body: "[" });
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("SerializationException")]);
});

test("a body beyond the limit answers 413 without being read", async () => {
  const http = await startHttp({ services: [sagemaker] });
  const body = "x".repeat(8_000_000);
  const answer = await send(http, json("DescribeModel"), { service: "sagemaker", body });
  expect([answer.status, answer.text]).toEqual([413, expect.stringContaining("RequestEntityTooLarge")]);
});

test("health answers without signature; other routes answer below their prefix, and buckets hide none of them", async () => {
  const route = {
    prefix: "/_salvia/tasks/",
    handle: async (request: { rawPath: string; body: AsyncIterable<Buffer> }) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request.body) chunks.push(chunk);
      return { status: 202, body: `${request.rawPath} ${Buffer.concat(chunks).toString()}` };
    },
  };
  const http = await startHttp({ routes: [route] });
  const health = await fetch(`${http.url}/health`);
  expect([health.status, await health.text()]).toEqual([200, '{"status":"ok"}']);
  expect((await fetch(`${http.url}/health`, { method: "HEAD" })).status).toBe(200);
  expect((await fetch(`${http.url}/health`, { method: "POST" })).status).toBe(405);
  const report = await fetch(`${http.url}/_salvia/tasks/t1`, { method: "POST", body: "hello" });
  expect([report.status, await report.text()]).toEqual([202, "/_salvia/tasks/t1 hello"]);
  const empty = await fetch(`${http.url}/_salvia/tasks/t2`);
  expect(await empty.text()).toBe("/_salvia/tasks/t2 ");
});
