// Takes a request's body to a new blob, and refuses it as a whole where it is not what the client said it would be.
import type { ChecksumAlgorithm } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { lentChunks } from "../../../lib/lent-chunks.ts";
import { StorageFullError, type Blob, type BlobStorage } from "../../../storage/storage.ts";
import {
  algorithms,
  isAlgorithm,
  isDigest,
  startChecksum,
  type Algorithm,
  type StoredChecksum,
} from "../checksums/checksum.ts";
import type { HashingThread } from "../checksums/hashing-thread.ts";
import { invalidRequest, notImplemented, storageFull } from "../errors.ts";
import type { S3Context } from "../s3-context.ts";

/** Members of PutObject and UploadPart that speak of the body. */
export type BodyClaims = { readonly [A in Algorithm as `Checksum${A}`]?: string | undefined } & {
  readonly Body?: AsyncIterable<Uint8Array> | undefined;
  readonly ContentLength?: number | undefined;
  readonly ContentMD5?: string | undefined;
  readonly ChecksumAlgorithm?: ChecksumAlgorithm | undefined;
  readonly ChecksumXXHASH64?: string | undefined;
  readonly ChecksumXXHASH3?: string | undefined;
  readonly ChecksumXXHASH128?: string | undefined;
};

export interface ReceivedBody {
  readonly blob: Blob;
  /** MD5 in hexadecimal. */
  readonly eTag: string;
  /** FULL_OBJECT: of all bytes of this body. */
  readonly checksum: StoredChecksum | undefined;
}

export interface ExpectedBody {
  readonly sizeBytes: number | undefined;
  /** Base64. */
  readonly md5: string | undefined;
  readonly checksum: ExpectedChecksum | undefined;
}

interface ExpectedChecksum {
  readonly algorithm: Algorithm;
  /** Base64; asked for when the whole body is here, since it may stand behind it. Undefined: only count. */
  value(): Promise<string | undefined>;
}

const maxBodyBytes = 5 * 1024 ** 3;

/** `wanted` is the one algorithm that the upload takes; counted also where the request names none. */
export async function receiveBody(
  input: BodyClaims,
  ctx: S3Context,
  wanted?: Algorithm,
  options: KeepOptions = {},
): Promise<ReceivedBody> {
  const claimed = claimedChecksum(input, ctx);
  if (wanted !== undefined && claimed && claimed.algorithm !== wanted) {
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, actual checksum Type: ${claimed.algorithm.toLowerCase()}`,
    );
  }
  const expected: ExpectedBody = {
    sizeBytes: claimedSize(input, ctx),
    md5: input.ContentMD5,
    checksum: claimed ?? countedChecksum(wanted),
  };
  if (expected.md5 !== undefined && !isDigest("MD5", expected.md5)) {
    throw new AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", {
      fields: { "Content-MD5": expected.md5 },
    });
  }
  if ((expected.sizeBytes ?? 0) > maxBodyBytes) throw tooLarge(expected.sizeBytes ?? 0);
  return storeChecked(ctx, input.Body ?? noBytes(), expected, options);
}

export interface KeepOptions {
  /** The blob may come back unsaved (storage.ts). */
  readonly mayLeaveUnsaved?: boolean;
}

/** Stores the source unless it differs from what is expected; then nothing is left of it. */
export async function storeChecked(
  { storage, hashing }: { readonly storage: BlobStorage; readonly hashing: HashingThread },
  source: AsyncIterable<Uint8Array>,
  expected: ExpectedBody,
  options: KeepOptions = {},
): Promise<ReceivedBody> {
  const md5 = hashing.startMd5(expected.sizeBytes);
  const running = expected.checksum && startChecksum(expected.checksum.algorithm);
  let eTag = "";
  let checksum: StoredChecksum | undefined;

  // Checks at its end, so that a storage sees a failing source and keeps nothing.
  async function* checked(): AsyncGenerator<Uint8Array> {
    let sizeBytes = 0;
    for await (const chunk of lentChunks(source)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBodyBytes) throw tooLarge(sizeBytes);
      const isBehind = md5.update(chunk);
      if (isBehind) await isBehind;
      running?.update(chunk);
      yield chunk;
    }
    if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes) throw incomplete();
    const digest = await md5.digest();
    checkMd5(expected.md5, digest.toString("base64"));
    eTag = digest.toString("hex");
    if (expected.checksum && running) checksum = await compared(expected.checksum, running.digest().toString("base64"));
  }

  try {
    const blob = await storage.write(checked(), options);
    return { blob, eTag, checksum };
  } catch (error) {
    md5.drop();
    throw error instanceof StorageFullError ? storageFull() : error;
  }
}

async function compared(expected: ExpectedChecksum, value: string): Promise<StoredChecksum> {
  const claimed = await expected.value();
  if (claimed !== undefined && !isDigest(expected.algorithm, claimed)) throw invalidChecksum(expected.algorithm);
  if (claimed !== undefined && claimed !== value) {
    throw new AwsError("BadDigest", `The ${expected.algorithm} you specified did not match the calculated checksum.`);
  }
  return { algorithm: expected.algorithm, type: "FULL_OBJECT", value };
}

function checkMd5(expected: string | undefined, calculated: string): void {
  if (expected === undefined || expected === calculated) return;
  throw new AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", {
    fields: { ExpectedDigest: expected, CalculatedDigest: calculated },
  });
}

/** Of the decoded bytes: Content-Length counts an aws-chunked body's frames as well. */
function claimedSize(input: BodyClaims, ctx: S3Context): number | undefined {
  const decoded = ctx.http.headers["x-amz-decoded-content-length"];
  if (decoded !== undefined) return Number(decoded);
  if (ctx.http.headers["content-encoding"]?.includes("aws-chunked")) return undefined;
  return input.ContentLength;
}

/** From a header, a trailer, or only the name of an algorithm. */
function claimedChecksum(input: BodyClaims, ctx: S3Context): ExpectedChecksum | undefined {
  if (input.ChecksumXXHASH64 ?? input.ChecksumXXHASH3 ?? input.ChecksumXXHASH128)
    throw notImplemented("XXHash checksums");
  const given = algorithms.filter((algorithm) => input[`Checksum${algorithm}`] !== undefined);
  const [algorithm] = given;
  if (given.length > 1) {
    throw invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  }
  if (algorithm !== undefined) {
    const value = input[`Checksum${algorithm}`];
    if (value === undefined || !isDigest(algorithm, value)) throw invalidChecksum(algorithm);
    return { algorithm, value: async () => value };
  }
  return trailingChecksum(ctx) ?? countedChecksum(input.ChecksumAlgorithm);
}

function trailingChecksum({ http }: S3Context): ExpectedChecksum | undefined {
  const names = (http.headers["x-amz-trailer"] ?? "").split(",").map((name) => name.trim().toLowerCase());
  const algorithm = algorithms.find((algorithm) => names.includes(checksumHeader(algorithm)));
  if (algorithm === undefined || !http.trailers) return undefined;
  return {
    algorithm,
    value: async () => {
      const value = (await http.trailers)?.[checksumHeader(algorithm)];
      if (value === undefined)
        throw new AwsError(
          "MalformedTrailerError",
          "The request contained trailing data that was not well-formed or did not conform to our published schema.",
        );
      return value;
    },
  };
}

function countedChecksum(algorithm: ChecksumAlgorithm | undefined): ExpectedChecksum | undefined {
  if (algorithm === undefined) return undefined;
  if (!isAlgorithm(algorithm)) throw notImplemented(`${algorithm} checksums`);
  return { algorithm, value: async () => undefined };
}

const checksumHeader = (algorithm: Algorithm): string => `x-amz-checksum-${algorithm.toLowerCase()}`;

const invalidChecksum = (algorithm: Algorithm): AwsError =>
  invalidRequest(`Value for ${checksumHeader(algorithm)} header is invalid.`);

const incomplete = (): AwsError =>
  new AwsError("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header");

const tooLarge = (sizeBytes: number): AwsError =>
  new AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
    fields: { ProposedSize: sizeBytes, MaxSizeAllowed: maxBodyBytes },
  });

async function* noBytes(): AsyncGenerator<Uint8Array> {}
