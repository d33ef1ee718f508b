// Bodies that are not what their headers say, and trailers of every algorithm, against a real S3 over raw sockets.
import { connect } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { amzDate } from "../protocols/signature-v4.ts";
import { signHeaders } from "../protocols/sign-v4.fake.ts";
import { createFakeS3 } from "../services/s3/s3.fake.ts";
import { account, region, rootKey, startHttp } from "./http.fake.ts";

async function start() {
  const { s3, store, call, bytes } = await createFakeS3();
  await call("CreateBucket", { Bucket: "digits" }, { account, region: "us-east-1" });
  const { UploadId = "" } = await call("CreateMultipartUpload", { Bucket: "digits", Key: "k" }, { account });
  const http = await startHttp({ services: [s3.service], store });
  const request = (rawQuery: string, headers: Readonly<Record<string, string>>, payload: string): string => {
    const host = `127.0.0.1:${http.port}`;
    const plain = { method: "PUT", rawPath: "/digits/k", rawQuery, headers: { host, ...headers } };
    const options = { ...rootKey, region, service: "s3", at: amzDate(systemClock.now().getTime()), payload };
    const lines = Object.entries(signHeaders(plain, options).headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `PUT /digits/k${rawQuery && `?${rawQuery}`} HTTP/1.1\r\n${lines.join("")}Connection: close\r\n\r\n`;
  };
  return { http, bytes, call, UploadId, request, part: `partNumber=1&uploadId=${encodeURIComponent(UploadId)}` };
}

test.each(["PutObject", "UploadPart"])(
  "%s with more bytes than Content-Length says never keeps more than it said",
  async (operation) => {
    const { http, request, part, call, UploadId } = await start();
    const isPart = operation === "UploadPart";
    const head = request(isPart ? part : "", { "content-length": "3" }, "UNSIGNED-PAYLOAD");
    // The parser refuses what follows; whether the answer to the three bytes is out before that is a matter of timing.
    expect(await http.raw(`${head}12345`)).toMatch(/^HTTP\/1\.1 (?:200|400)/);
    const { Parts = [] } = await call("ListParts", { Bucket: "digits", Key: "k", UploadId });
    const { Contents = [] } = await call("ListObjectsV2", { Bucket: "digits" });
    expect([...Parts, ...Contents].every(({ Size }) => Size === 3)).toBe(true);
  },
);

test.each(["PutObject", "UploadPart"])(
  "%s of a client that stops sending leaves nothing, and the server goes on",
  async (operation) => {
    const { http, request, part, bytes, call, UploadId } = await start();
    const head = request(operation === "UploadPart" ? part : "", { "content-length": "10" }, "UNSIGNED-PAYLOAD");
    await new Promise<void>((resolve) => {
      const socket = connect(http.port, "127.0.0.1", () => socket.end(`${head}12345`));
      socket.on("error", () => {});
      socket.on("close", () => resolve());
      socket.resume();
    });
    await expect(bytes("digits", "k")).rejects.toMatchObject({ code: "NoSuchKey" });
    const { Parts } = await call("ListParts", { Bucket: "digits", Key: "k", UploadId });
    expect(Parts ?? []).toEqual([]);
    expect((await fetch(`${http.url}/health`)).status).toBe(200);
  },
);

/** Check values of "123456789": https://reveng.sourceforge.io/crc-catalogue/, and of the two hashes. */
const trailers: readonly (readonly [string, string])[] = [
  ["crc32", Buffer.from("cbf43926", "hex").toString("base64")],
  ["crc32c", Buffer.from("e3069283", "hex").toString("base64")],
  ["crc64nvme", Buffer.from("ae8b14860a799888", "hex").toString("base64")],
  ["sha1", Buffer.from("f7c3bc1d808e04732adf679965ccc34ca7ae3441", "hex").toString("base64")],
  ["sha256", Buffer.from("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225", "hex").toString("base64")],
];

test.each(trailers)("a trailer of %s is compared with the body", async (algorithm, value) => {
  const { http, request, bytes } = await start();
  const name = `x-amz-checksum-${algorithm}`;
  const send = (given: string): Promise<string> => {
    const body = `9\r\n123456789\r\n0\r\n${name}:${given}\r\n\r\n`;
    const headers = {
      "content-encoding": "aws-chunked",
      "content-length": String(body.length),
      "x-amz-decoded-content-length": "9",
      "x-amz-trailer": name,
    };
    return http.raw(request("", headers, "STREAMING-UNSIGNED-PAYLOAD-TRAILER") + body);
  };
  const wrong = Buffer.from(value, "base64").reverse().toString("base64");
  expect(await send(wrong)).toContain("<Code>BadDigest</Code>");
  await expect(bytes("digits", "k")).rejects.toMatchObject({ code: "NoSuchKey" });
  expect(await send(value)).toContain(`${name}: ${value}`);
  expect((await bytes("digits", "k")).toString()).toBe("123456789");
});
