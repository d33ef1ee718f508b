import { createHash, createHmac } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAwsChunked, type ChunkedOptions, type ChunkVerifier } from "./aws-chunked.ts";

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

const decode = (wire: string | Buffer, options: ChunkedOptions = {}, sizes: readonly number[] = [7]) =>
  decodeAwsChunked(Readable.from(cut(Buffer.from(wire), sizes)), options);

test("unsigned chunks with a trailer, as SDKs send them over https", async () => {
  const { body, trailers } = decode("5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", {
    decodedBytes: 11,
    trailerNames: ["x-amz-checksum-crc32"],
  });
  expect((await buffer(body)).toString()).toBe("hello world");
  expect(await trailers).toEqual({ "x-amz-checksum-crc32": "DUoRhQ==" });
});

test("whatever the chunks and the pieces they arrive in, the data comes out", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
      async (chunks, sizes) => {
        const frames = chunks.flatMap((chunk) => [
          Buffer.from(`${chunk.length.toString(16)}\r\n`),
          chunk,
          Buffer.from("\r\n"),
        ]);
        const { body } = decode(Buffer.concat([...frames, Buffer.from("0\r\n\r\n")]), {}, sizes);
        expect((await buffer(body)).equals(Buffer.concat(chunks))).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

// AWS's example: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html#example-signature-calculations-streaming
const scope = "20130524/us-east-1/s3/aws4_request";
const seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const signingKey = ["20130524", "us-east-1", "s3", "aws4_request"].reduce<Buffer | string>(
  (key, part) => createHmac("sha256", key).update(part).digest(),
  "AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
);
const exampleSignatures = [
  "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
  "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
  "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

function chained(): ChunkVerifier {
  let previous = seed;
  const sign = (kind: string, ...hashes: string[]): string =>
    createHmac("sha256", signingKey)
      .update([`AWS4-HMAC-SHA256-${kind}`, "20130524T000000Z", scope, previous, ...hashes].join("\n"))
      .digest("hex");
  const check = (signature: string, expected: string): void => {
    if (signature !== expected) throw new Error("SignatureDoesNotMatch");
    previous = signature;
  };
  return {
    chunk: (signature, hash) => check(signature, sign("PAYLOAD", sha256(""), hash)),
    trailer: (signature, hash) => check(signature, sign("TRAILER", hash)),
  };
}

const exampleData = [Buffer.alloc(65_536, "a"), Buffer.alloc(1024, "a"), Buffer.alloc(0)];
const example = (data: readonly Buffer[] = exampleData): Buffer =>
  Buffer.concat(
    data.flatMap((chunk, at) => [
      Buffer.from(`${chunk.length.toString(16)};chunk-signature=${exampleSignatures[at] ?? ""}\r\n`),
      chunk,
      Buffer.from("\r\n"),
    ]),
  );

test("AWS's example of signed chunks is verified", async () => {
  const { body } = decode(example(), { verifier: chained(), decodedBytes: 66_560 }, [1000]);
  expect(await buffer(body)).toHaveLength(66_560);
});

test("a changed byte in a signed chunk fails", async () => {
  const tampered = example([exampleData[0]!, Buffer.alloc(1024, "b"), exampleData[2]!]);
  await expect(buffer(decode(tampered, { verifier: chained() }, [1000]).body)).rejects.toThrow("SignatureDoesNotMatch");
});

test("an unsigned chunk where signatures are asked for fails", async () => {
  await expect(buffer(decode("1\r\na\r\n0\r\n\r\n", { verifier: chained() }).body)).rejects.toMatchObject({
    code: "AccessDenied",
  });
});

test("a signed trailer is verified after the chunks", async () => {
  const seen: string[] = [];
  const verifier: ChunkVerifier = {
    chunk: (signature, hash) => void seen.push(`chunk ${signature.slice(0, 1)} ${hash}`),
    trailer: (signature, hash) => void seen.push(`trailer ${signature} ${hash}`),
  };
  const sign = (letter: string): string => letter.repeat(64);
  const { body, trailers } = decode(
    `3;chunk-signature=${sign("a")}\r\nabc\r\n0;chunk-signature=${sign("b")}\r\n` +
      `x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:feed\r\n\r\n`,
    { verifier, trailerNames: ["x-amz-checksum-crc32c"] },
  );
  await buffer(body);
  expect(await trailers).toEqual({ "x-amz-checksum-crc32c": "sOO8/Q==" });
  expect(seen).toEqual([
    `chunk a ${sha256("abc")}`,
    `chunk b ${sha256("")}`,
    `trailer feed ${sha256("x-amz-checksum-crc32c:sOO8/Q==\n")}`,
  ]);
});

test.each([
  ["breaks off in a chunk", "5\r\nhel", {}, "IncompleteBody"],
  ["lacks its last chunk", "5\r\nhello\r\n", {}, "IncompleteBody"],
  ["is shorter than said", "5\r\nhello\r\n0\r\n\r\n", { decodedBytes: 6 }, "IncompleteBody"],
  ["has no length", "hello\r\n", {}, "InvalidRequest"],
  ["has a chunk longer than its length", "3\r\nhello\r\n0\r\n\r\n", {}, "InvalidRequest"],
  ["lacks a trailer it announces", "0\r\n\r\n", { trailerNames: ["x-amz-checksum-crc32"] }, "MalformedTrailerError"],
  ["has a trailer it did not announce", "0\r\nx-other:1\r\n\r\n", {}, "MalformedTrailerError"],
])("a body that %s is refused", async (_, wire, options, code) => {
  const { body, trailers } = decode(wire, options);
  await expect(buffer(body)).rejects.toMatchObject({ code });
  await expect(trailers).rejects.toMatchObject({ code });
});

test("whoever stops reading ends the source", async () => {
  let isClosed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from("5\r\nhello\r\n");
    } finally {
      isClosed = true;
    }
  }
  for await (const _ of decodeAwsChunked(source()).body) break;
  await expect.poll(() => isClosed).toBe(true);
});
