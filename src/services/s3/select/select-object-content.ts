// SQL over one object, answered as a stream of events: https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html
import { Transform, pipeline } from "node:stream";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type {
  InputSerialization,
  SelectObjectContentEventStream,
  SelectObjectContentRequest,
} from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { requireBucket } from "../bucket/buckets.ts";
import { notImplemented } from "../errors.ts";
import { refuseCustomerKey } from "../object/describe-object.ts";
import { operation } from "../s3-context.ts";
import { requireVersion } from "../versions/require-version.ts";
import { csvRecords } from "./csv-records.ts";
import type { Query } from "./expression.ts";
import { jsonRecords } from "./json-records.ts";
import { parseQuery } from "./parse-query.ts";
import type { SelectRecord } from "./record.ts";
import { runQuery } from "./run-query.ts";
import { selectError } from "./select-errors.ts";
import { rowWriter } from "./write-row.ts";

const recordsBytes = 64 * 1_024;
const progressBytes = 8 * 1_024 * 1_024;

interface Counts {
  BytesScanned: number;
  BytesProcessed: number;
  BytesReturned: number;
}

function checkInput({ InputSerialization: input, ...request }: SelectObjectContentRequest): void {
  refuseCustomerKey(request.SSECustomerAlgorithm);
  if (request.ExpressionType !== "SQL") {
    throw selectError("InvalidExpressionType", "The ExpressionType is invalid. Only SQL expressions are supported.");
  }
  if (input.Parquet) throw notImplemented("SelectObjectContent on Parquet");
  if (input.CompressionType === "BZIP2") throw notImplemented("SelectObjectContent on bzip2");
  if (request.ScanRange) throw notImplemented("SelectObjectContent on a range");
  if (!input.CSV === !input.JSON) {
    throw selectError("InvalidDataSource", "Invalid data source type. Only CSV and JSON are supported.");
  }
  const { CSV: csv, JSON: json } = request.OutputSerialization;
  if (!csv === !json) throw selectError("InvalidRequestParameter", "OutputSerialization is either CSV or JSON.");
}

const counter = (count: (bytes: number) => void): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk.length);
      done(null, chunk);
    },
  });

/** The object's text, unpacked. What fails on the way fails the iteration. */
async function* textOfObject(body: Readable, input: InputSerialization, counts: Counts): AsyncGenerator<string> {
  const isGzip = input.CompressionType === "GZIP";
  const scanned = counter((bytes) => (counts.BytesScanned += bytes));
  const source = isGzip ? createGunzip() : scanned;
  // The iteration below reports what goes wrong.
  const onEnd = (): void => undefined;
  if (isGzip) pipeline(body, scanned, source, onEnd);
  else pipeline(body, scanned, onEnd);
  const decoder = new TextDecoder("utf-8");
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      counts.BytesProcessed += chunk.length;
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (!isGzip || error instanceof AwsError) throw error;
    throw selectError(
      "InvalidCompressionFormat",
      "The file is not in a supported compression format. Only GZIP is supported.",
    );
  } finally {
    body.destroy();
  }
}

function recordsOf(text: AsyncIterable<string>, input: InputSerialization, query: Query): AsyncIterable<SelectRecord> {
  if (input.CSV) return csvRecords(text, input.CSV);
  return jsonRecords(text, input.JSON?.Type === "LINES" ? "LINES" : "DOCUMENT", query.from);
}

async function* events(
  request: SelectObjectContentRequest,
  query: Query,
  body: Readable,
): AsyncGenerator<SelectObjectContentEventStream> {
  const { InputSerialization: input, OutputSerialization: output, RequestProgress: progress } = request;
  const counts: Counts = { BytesScanned: 0, BytesProcessed: 0, BytesReturned: 0 };
  const write = rowWriter(output);
  let held = "";
  let toldBytes = 0;
  const records = (): SelectObjectContentEventStream => {
    const Payload = Buffer.from(held);
    held = "";
    counts.BytesReturned += Payload.length;
    return { Records: { Payload } };
  };
  for await (const row of runQuery(query, recordsOf(textOfObject(body, input, counts), input, query))) {
    held += write(row);
    if (held.length >= recordsBytes) yield records();
    if (progress?.Enabled && counts.BytesProcessed - toldBytes >= progressBytes) {
      toldBytes = counts.BytesProcessed;
      yield { Progress: { Details: { ...counts } } };
    }
  }
  if (held !== "") yield records();
  if (progress?.Enabled) yield { Progress: { Details: { ...counts } } };
  yield { Stats: { Details: { ...counts } } };
  yield { End: {} };
}

export const selectObjectContent = operation("SelectObjectContent", async (input, ctx) => {
  checkInput(input);
  const query = parseQuery(input.Expression);
  const bucket = await requireBucket(ctx.store.read, ctx.account, input.Bucket, input.ExpectedBucketOwner);
  const object = await requireVersion(ctx.store.read, bucket, input.Key, undefined);
  return { Payload: events(input, query, await ctx.storage.read(object.blobId)) };
});
