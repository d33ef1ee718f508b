import { expect, test } from "vitest";
import { hostPolicy } from "./host-policy.ts";

const hosts = hostPolicy(["salvia.example:7243"]);

test.each([
  ["127.0.0.1:7243", undefined],
  ["127.1.2.3", undefined],
  ["[::1]:7243", undefined],
  ["localhost", undefined],
  ["LOCALHOST:80", undefined],
  ["localhost.:80", undefined],
  ["s3.localhost:7243", undefined],
  ["bucket.localhost:7243", "bucket"],
  ["my.dotted.bucket.s3.localhost", "my.dotted.bucket"],
  ["salvia.example", undefined],
  ["bucket.salvia.example:1", "bucket"],
  ["10.0.0.6:7243", undefined],
  ["192.168.16.1:41234", undefined],
  ["[fd00::1]:80", undefined],
  ["sts.us-west-2.amazonaws.com", undefined],
  ["api.sagemaker.us-west-2.amazonaws.com", undefined],
  ["s3.amazonaws.com", undefined],
  ["s3.us-west-2.amazonaws.com", undefined],
  ["bucket.s3.amazonaws.com", "bucket"],
  ["a.b.s3.us-west-2.amazonaws.com", "a.b"],
  ["bucket.s3-us-west-2.amazonaws.com", "bucket"],
  ["bucket.s3.dualstack.eu-west-1.amazonaws.com", "bucket"],
  ["bucket.s3.cn-north-1.amazonaws.com.cn", "bucket"],
  ["123.dkr.ecr.us-west-2.amazonaws.com", undefined],
])("%s is answered, bucket %s", (host, bucket) => {
  expect(hosts(host)).toEqual({ isAllowed: true, bucket });
});

test.each([
  "",
  "evil.example",
  "127.0.0.1.evil.example",
  "notlocalhost",
  "amazonaws.com.evil.example",
  "1.127.0.0.1",
  "0x7f.1",
  "[::1",
])("%s is refused", (host) => {
  expect(hosts(host)).toEqual({ isAllowed: false, bucket: undefined });
});

test("however many names are asked, few are kept and answers stay right", () => {
  const small = hostPolicy([], 2);
  for (let at = 0; at < 10; at++) expect(small(`b${at}.localhost`).bucket).toBe(`b${at}`);
  expect(small("b0.localhost").bucket).toBe("b0");
});
