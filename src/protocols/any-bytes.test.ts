// Whatever bytes arrive, routing and parsing end in an input or an AwsError, soon.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AwsError } from "../lib/aws-error.ts";
import { createModels, createValidator } from "../models/index.ts";
import { createRouter } from "./index.ts";

const models = createModels();
const router = createRouter(models);
const validator = createValidator();

/** Undefined where the request was understood. */
function outcomeOf(request: Parameters<typeof router.route>[0], bucket?: string): AwsError | undefined {
  const route = router.route(request, bucket);
  if (!route.operation) {
    route.protocol.serializeError(undefined, route.error, "id");
    return route.error;
  }
  try {
    validator.validate(route.operation, route.protocol.parse(route.operation, route.request));
    return undefined;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    route.protocol.serializeError(route.operation, error, "id");
    return error;
  }
}

const signedFor = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=A/20260101/r/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

const json = (body: string | Uint8Array, target = "SageMaker.CreateTrainingJob") =>
  outcomeOf({
    method: "POST",
    rawPath: "/",
    rawQuery: "",
    headers: { "x-amz-target": target },
    body: typeof body === "string" ? Buffer.from(body, "utf8") : body,
  });

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "",
    "%",
    "%zz",
    "%C3",
    "a=b&a=c",
    "x-amz-target",
    "\0",
    "s3",
    "sts",
    "\ud800",
  ),
);

const targets = fc.constantFrom(
  "SageMaker.CreateModel",
  "SageMaker.Search",
  "SageMaker.__proto__",
  "constructor.constructor",
  "Logs_20140328.PutLogEvents",
  "GraniteServiceVersion20100801.PutMetricData",
  "",
  ".",
);

const headers = fc.dictionary(
  fc.oneof(
    fc.constantFrom("x-amz-object-attributes", "if-modified-since", "x-amz-meta-a", "content-length", "__proto__"),
    text,
  ),
  text,
  { maxKeys: 4 },
);

const requests = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "constructor"),
  rawPath: fc.oneof(
    text.map((path) => `/${path}`),
    text.map((path) => `/bucket/${path}`),
    text.map((path) => `/endpoints/${path}/invocations`),
    text.map((path) => `/service/GraniteServiceVersion20100801/operation/${path}`),
    fc.constant("/service/GraniteServiceVersion20100801/operation/PutMetricData"),
    fc.constant("/"),
    text,
  ),
  rawQuery: fc.oneof(
    text,
    fc.constantFrom("uploads", "delete", "list-type=2&max-keys=x", "Action=GetRole", "tagging", "acl"),
  ),
  headers: fc.tuple(
    headers,
    fc.oneof(
      fc.constant({}),
      targets.map((target) => ({ "x-amz-target": target })),
      fc.constant({ "smithy-protocol": "rpc-v2-cbor" }),
      fc.constantFrom("s3", "sts", "iam", "sagemaker", "monitoring", "nothing", "__proto__").map(signedFor),
    ),
    fc.constantFrom({}, { "content-type": "application/x-www-form-urlencoded" }, { "content-encoding": "gzip" }),
  ),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((value) => Buffer.from(value)),
    text.map((value) => Buffer.from(`Action=${value}&Tags.member.1.Key=${value}&${value}.${value}=x`)),
    text.map((value) => Buffer.from(`<Delete><Object><Key>${value}</Key></Object></Delete>`)),
  ),
});

test("no request makes routing, parsing or validation fail in any other way than an AwsError", () => {
  fc.assert(
    fc.property(requests, fc.option(text, { nil: undefined }), ({ headers: parts, ...request }, bucket) => {
      outcomeOf({ ...request, headers: Object.assign({}, ...parts) as Record<string, string> }, bucket);
    }),
    { numRuns: 3000 },
  );
});

test("JSON nested deeper than any model is refused, wherever it stands", () => {
  const deep = `${'{"And":['.repeat(5000)}${"]}".repeat(5000)}`;
  expect(json(`{"TrainingJobName":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)?.code).toBe("SerializationException");
  const nested = `${'{"SubExpressions":['.repeat(5000)}{}${"]}".repeat(5000)}`;
  expect(json(`{"Resource":"Model","SearchExpression":${nested}}`, "SageMaker.Search")?.code).toBe(
    "SerializationException",
  );
  expect(json(`{"Unheard":${deep}}`)?.code).toBe("ValidationException");
});

test("a body that is not UTF-8 or not JSON is a SerializationException", () => {
  expect(json(Uint8Array.of(0x7b, 0xff, 0x7d))?.code).toBe("SerializationException");
  expect(json("{")?.code).toBe("SerializationException");
  expect(json("[]")?.code).toBe("SerializationException");
  expect(json("null")?.code).toBe("SerializationException");
});

test("wrong JSON types are named as Coral names them", () => {
  const describeModel = (value: string) => json(`{"ModelName":${value}}`, "SageMaker.DescribeModel")?.message;
  expect(describeModel("1")).toBe("NUMBER_VALUE can not be converted to a String");
  expect(describeModel("true")).toBe("TRUE_VALUE can not be converted to a String");
  expect(describeModel("{}")).toBe("Start of structure or map found where not expected.");
  expect(describeModel("[]")).toBe("Start of list found where not expected.");
  expect(json('{"MaxResults":"1"}', "SageMaker.ListModels")?.message).toBe(
    "STRING_VALUE can not be converted to an Integer",
  );
  expect(json('{"MaxResults":1e300}', "SageMaker.ListModels")?.message).toBe(
    "NUMBER_VALUE is out of range for an Integer",
  );
  expect(json('{"MaxResults":1.5}', "SageMaker.ListModels")?.message).toBe(
    "DECIMAL_VALUE can not be converted to an Integer",
  );
});

test("a map's keys are data, whatever they are called", () => {
  const body = '{"ModelName":"m","PrimaryContainer":{"Environment":{"__proto__":"a","constructor":"b"}}}';
  const request = {
    method: "POST",
    rawPath: "/",
    rawQuery: "",
    headers: { "x-amz-target": "SageMaker.CreateModel" },
    body: Buffer.from(body),
  };
  const route = router.route(request);
  if (!route.operation) throw route.error;
  const input = route.protocol.parse(route.operation, request) as { PrimaryContainer: { Environment: object } };
  expect(Object.entries(input.PrimaryContainer.Environment)).toEqual([
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
});

test("a form with a thousand nested names or a gzip bomb is an error, not a crash", () => {
  const form = { method: "POST", rawPath: "/", rawQuery: "" };
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const nested = Buffer.from(`Action=CreateUser&${"a.".repeat(1000)}b=1`);
  expect(outcomeOf({ ...form, headers: { ...signedFor("iam"), ...type }, body: nested })?.code).toBe("MalformedInput");
  const target = { "x-amz-target": "GraniteServiceVersion20100801.PutMetricData", "content-encoding": "gzip" };
  expect(outcomeOf({ ...form, headers: target, body: Buffer.from("no gzip") })?.code).toBe("SerializationException");
});
