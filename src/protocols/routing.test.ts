import { expect, test } from "vitest";
import { createModels } from "../models/index.ts";
import { createRouter } from "./index.ts";

const router = createRouter(createModels());

const scope = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

interface Asked {
  readonly service?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly bucket?: string;
}

function ask(method: string, url: string, { service, headers = {}, body = "", bucket }: Asked = {}) {
  const [rawPath = "", rawQuery = ""] = url.split("?", 2);
  const signed = service === undefined ? {} : { authorization: scope(service) };
  const request = { method, rawPath, rawQuery, headers: { ...signed, ...headers }, body: Buffer.from(body) };
  const route = router.route(request, bucket);
  if (route.operation) {
    return `${route.protocol.name} ${route.operation.service.name} ${route.operation.name}`;
  }
  return `${route.protocol.name} ${route.error.code}`;
}

const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };

test("the five services that sign as sagemaker are told apart by target and path", () => {
  const service = "sagemaker";
  const target = { "x-amz-target": "SageMaker.ListModels" };
  expect(ask("POST", "/", { service, headers: target })).toBe("aws-json sagemaker ListModels");
  expect(ask("POST", "/endpoints/e/invocations", { service })).toBe("rest-json sagemaker-runtime InvokeEndpoint");
  expect(ask("GET", "/FeatureGroup/f", { service })).toBe("rest-json sagemaker-featurestore-runtime GetRecord");
  expect(ask("POST", "/human-loops", { service })).toBe("rest-json sagemaker-a2i-runtime StartHumanLoop");
  expect(ask("PUT", "/BatchPutMetrics", { service })).toBe("rest-json sagemaker-metrics BatchPutMetrics");
  expect(ask("POST", "/nothing/here", { service })).toBe("rest-json UnknownOperationException");
});

test("CloudWatch answers JSON, query and CBOR", () => {
  const service = "monitoring";
  const target = { "x-amz-target": "GraniteServiceVersion20100801.ListMetrics" };
  expect(ask("POST", "/", { service, headers: target })).toBe("aws-json cloudwatch ListMetrics");
  expect(ask("POST", "/", { service, headers: form, body: "Action=ListMetrics" })).toBe("query cloudwatch ListMetrics");
  const cbor = { "smithy-protocol": "rpc-v2-cbor" };
  const path = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
  expect(ask("POST", path, { service, headers: cbor })).toBe("rpc-v2-cbor cloudwatch ListMetrics");
});

test("operations and services that do not exist are errors of the caller's protocol", () => {
  expect(ask("POST", "/", { headers: { "x-amz-target": "SageMaker.constructor" } })).toBe(
    "aws-json UnknownOperationException",
  );
  expect(ask("POST", "/", { headers: { "x-amz-target": "DynamoDB_20120810.PutItem" } })).toBe(
    "aws-json UnknownOperationException",
  );
  expect(ask("POST", "/", { service: "iam", headers: form, body: "Action=Nothing" })).toBe("query InvalidAction");
  expect(ask("POST", "/", { service: "iam", headers: form })).toBe("query MissingAction");
  expect(ask("GET", "/", { service: "lambda" })).toBe("rest-json UnknownOperationException");
  expect(ask("PATCH", "/b/k", { service: "s3" })).toBe("rest-xml MethodNotAllowed");
  expect(ask("OPTIONS", "/b/k")).toBe("rest-xml BadRequest");
  expect(ask("OPTIONS", "/b/k", { headers: { origin: "http://localhost" } })).toBe("rest-xml AccessForbidden");
});

test("an unsigned form goes to the service of its version, everything else unsigned to S3", () => {
  const body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
  expect(ask("POST", "/", { headers: form, body })).toBe("query sts AssumeRoleWithWebIdentity");
  expect(ask("GET", "/?Action=GetCallerIdentity&Version=2011-06-15")).toBe("query sts GetCallerIdentity");
  expect(ask("GET", "/bucket/key")).toBe("rest-xml s3 GetObject");
  expect(ask("POST", "/bucket?delete", { headers: form })).toBe("rest-xml s3 DeleteObjects");
});

test("the query of a presigned URL names the service", () => {
  const credential = encodeURIComponent("AKID/20260101/us-east-1/sts/aws4_request");
  expect(ask("GET", `/?Action=GetCallerIdentity&X-Amz-Credential=${credential}`)).toBe("query sts GetCallerIdentity");
  expect(ask("GET", "/b/k?AWSAccessKeyId=A&Signature=s&Expires=1")).toBe("rest-xml s3 GetObject");
  expect(ask("GET", "/b/k", { headers: { authorization: "AWS AKID:sig" } })).toBe("rest-xml s3 GetObject");
});

test.each([
  ["GET", "/", "ListBuckets"],
  ["GET", "/b", "ListObjects"],
  ["GET", "/b/", "ListObjects"],
  ["GET", "/b?list-type=2&prefix=x", "ListObjectsV2"],
  ["GET", "/b?location", "GetBucketLocation"],
  ["GET", "/b?versions", "ListObjectVersions"],
  ["GET", "/b?uploads", "ListMultipartUploads"],
  ["GET", "/b?lifecycle", "GetBucketLifecycleConfiguration"],
  ["GET", "/b?analytics", "ListBucketAnalyticsConfigurations"],
  ["GET", "/b?analytics&id=1", "GetBucketAnalyticsConfiguration"],
  ["PUT", "/b", "CreateBucket"],
  ["PUT", "/b/?versioning", "PutBucketVersioning"],
  ["HEAD", "/b", "HeadBucket"],
  ["HEAD", "/b/k", "HeadObject"],
  ["GET", "/b/k?tagging", "GetObjectTagging"],
  ["GET", "/b/k?uploadId=u", "ListParts"],
  ["PUT", "/b/k", "PutObject"],
  ["PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"],
  ["POST", "/b/k?uploads", "CreateMultipartUpload"],
  ["POST", "/b/k?uploadId=u", "CompleteMultipartUpload"],
  ["DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"],
  ["DELETE", "/b/k?versionId=v", "DeleteObject"],
  ["POST", "/b?delete", "DeleteObjects"],
])("S3: %s %s is %s", (method, url, operation) => {
  expect(ask(method, url, { service: "s3" })).toBe(`rest-xml s3 ${operation}`);
});

test("S3: a copy is told from a put by its header", () => {
  const headers = { "x-amz-copy-source": "/a/b" };
  expect(ask("PUT", "/b/k", { service: "s3", headers })).toBe("rest-xml s3 CopyObject");
  expect(ask("PUT", "/b/k?partNumber=1&uploadId=u", { service: "s3", headers })).toBe("rest-xml s3 UploadPartCopy");
});

test("S3: the bucket of a host name becomes the path's first part, and keys stay as they were sent", () => {
  expect(ask("GET", "/", { service: "s3", bucket: "b" })).toBe("rest-xml s3 ListObjects");
  const request = {
    method: "GET",
    rawPath: "/b/./dot/../up//a%2Fb%2525",
    rawQuery: "",
    headers: {},
    body: Buffer.alloc(0),
  };
  const route = router.route(request, "bucket");
  if (!route.operation) throw route.error;
  expect(route.protocol.parse(route.operation, route.request)).toEqual({
    Bucket: "bucket",
    Key: "b/./dot/../up//a/b%25",
  });
});

test("only forms that are not S3's must be read before they are routed", () => {
  const needs = (headers: Record<string, string>, rawPath = "/") =>
    router.needsBody({ method: "POST", rawPath, rawQuery: "", headers });
  expect(needs(form)).toBe(true);
  expect(needs({ ...form, authorization: scope("iam") })).toBe(true);
  expect(needs({ ...form, authorization: scope("s3") })).toBe(false);
  expect(needs(form, "/bucket/key")).toBe(false);
  expect(needs({ authorization: scope("sagemaker") })).toBe(false);
});
