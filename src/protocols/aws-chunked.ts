// The aws-chunked content encoding: chunks with their length, perhaps signed, then perhaps trailers.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and …/sigv4-streaming-trailers.html
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { AwsError } from "../lib/aws-error.ts";
import { lending, lentChunks } from "../lib/lent-chunks.ts";

export interface ChunkedOptions {
  /** x-amz-decoded-content-length, where given: a body of another length is incomplete. */
  readonly decodedBytes?: number | undefined;
  /** Given for the signed forms (STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER]); undefined takes unsigned chunks. */
  readonly verifier?: ChunkVerifier | undefined;
  /** Names that x-amz-trailer announces; every one must come, and no other. */
  readonly trailerNames?: readonly string[];
}

/** Holds the signature that the next one is chained to. Both throw the caller's error where a signature is wrong. */
export interface ChunkVerifier {
  /** For each chunk in turn, the empty last one too; the hash (hexadecimal) is of the chunk's data. */
  chunk(signature: string, sha256: string): void;
  /** Where trailers are announced; the hash (hexadecimal) is of their canonical form, "name:value\n" each. */
  trailer(signature: string, sha256: string): void;
}

export interface DecodedBody {
  /** The data without its frames. Fails in the end where a signature or the length is wrong, so whoever stores it must wait for its end. */
  readonly body: Readable;
  /** By lower-cased name, without the signature; settles when the body has been read to its end. */
  readonly trailers: Promise<Readonly<Record<string, string>>>;
}

const maxLineBytes = 16 * 1024;
const trailerSignature = "x-amz-trailer-signature";

export function decodeAwsChunked(source: AsyncIterable<Uint8Array>, options: ChunkedOptions = {}): DecodedBody {
  const { promise: trailers, resolve, reject } = Promise.withResolvers<Readonly<Record<string, string>>>();
  // Whoever reads the body sees the failure there; nobody has to ask for the trailers.
  trailers.catch(() => {});
  async function* decoded(from: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = new FrameReader(from());
    try {
      yield* chunks(reader, options);
      resolve(await readTrailers(reader, options));
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      await reader.close();
    }
  }
  const body = Readable.from(
    decoded(() => source),
    { objectMode: false },
  );
  // Pieces of the source's chunks: lent where those are.
  return { body: lending(body, () => decoded(() => lentChunks(source))), trailers };
}

async function* chunks(reader: FrameReader, { verifier, decodedBytes }: ChunkedOptions): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for (;;) {
    const header = chunkHeader(await reader.line());
    const hash = verifier && createHash("sha256");
    for await (const piece of reader.take(header.sizeBytes)) {
      hash?.update(piece);
      yield piece;
    }
    if (verifier && hash) verifier.chunk(required(header.signature), hash.digest("hex"));
    sizeBytes += header.sizeBytes;
    if (header.sizeBytes === 0) break;
    if ((await reader.line()) !== "") throw malformed();
  }
  if (decodedBytes !== undefined && sizeBytes !== decodedBytes) throw incomplete();
}

interface ChunkHeader {
  readonly sizeBytes: number;
  readonly signature: string | undefined;
}

function chunkHeader(line: string | undefined): ChunkHeader {
  if (line === undefined) throw incomplete();
  const [, size, signature] = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line.trimEnd()) ?? [];
  if (size === undefined) throw malformed();
  return { sizeBytes: Number.parseInt(size, 16), signature };
}

/** All lines to the end of the body: clients do not agree on the empty ones between them. */
async function readTrailers(
  reader: FrameReader,
  { verifier, trailerNames = [] }: ChunkedOptions,
): Promise<Readonly<Record<string, string>>> {
  const found = new Map<string, string>();
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon < 1 || found.has(name)) throw malformedTrailer();
    found.set(name, line.slice(colon + 1).trim());
  }
  const signature = found.get(trailerSignature);
  found.delete(trailerSignature);
  const wanted = new Set(trailerNames.map((name) => name.toLowerCase()));
  if (wanted.size !== found.size || ![...found.keys()].every((name) => wanted.has(name))) throw malformedTrailer();
  if (verifier && wanted.size > 0) {
    const canonical = Array.from(found, ([name, value]) => `${name}:${value}\n`).join("");
    verifier.trailer(required(signature), createHash("sha256").update(canonical).digest("hex"));
  }
  return Object.fromEntries(found);
}

function required(signature: string | undefined): string {
  if (signature === undefined) throw new AwsError("AccessDenied", "A chunk of the request is not signed.");
  return signature;
}

/** Lines and counted bytes of a stream, whatever pieces it comes in. */
class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Without its end, CRLF or LF; the last line may lack one. Undefined: nothing more comes. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end !== -1) {
        const line = this.#rest.toString("latin1", 0, end).replace(/\r$/, "");
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > maxLineBytes) throw malformed();
      const before = Buffer.from(this.#rest);
      const more = await this.#next();
      if (more) {
        this.#rest = Buffer.concat([before, more]);
        continue;
      }
      if (before.length === 0) return undefined;
      const line = before.toString("latin1");
      this.#rest = Buffer.alloc(0);
      return line;
    }
  }

  async *take(byteCount: number): AsyncGenerator<Uint8Array> {
    let missing = byteCount;
    while (missing > 0) {
      if (this.#rest.length === 0) this.#rest = (await this.#next()) ?? Buffer.alloc(0);
      if (this.#rest.length === 0) throw incomplete();
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      missing -= piece.length;
      yield piece;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** The next bytes, never none. */
  async #next(): Promise<Buffer | undefined> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done) return undefined;
      if (value.byteLength > 0) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  }
}

const incomplete = (): AwsError =>
  new AwsError("IncompleteBody", "The request body terminated unexpectedly", { httpStatus: 400 });

const malformed = (): AwsError =>
  new AwsError("InvalidRequest", "The body is not of the aws-chunked content encoding.", { httpStatus: 400 });

const malformedTrailer = (): AwsError =>
  new AwsError(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    { httpStatus: 400 },
  );
