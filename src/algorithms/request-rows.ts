// The rows in a request's body, whatever its content type.
// https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
import { CsvNumberParser } from "../formats/csv-numbers.ts";
import { FormatError } from "../formats/format-error.ts";
import { parseJsonLine } from "../formats/json-lines.ts";
import { LineSplitter } from "../formats/lines.ts";
import { decodeRecord } from "../formats/record-protobuf.ts";
import { RecordIoSplitter } from "../formats/recordio.ts";
import { type ContentType, labelSizeOf, parseContentType } from "./content-type.ts";
import { type Row, rowOfRecord, RowProblem, sparseRow, widthOf } from "./rows.ts";

export const requestTypes = [
  "text/csv",
  "application/json",
  "application/jsonlines",
  "application/x-recordio-protobuf",
] as const;

/** An answer that is not 200; the server turns it into a response. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const source = "request body";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function numbers(value: unknown, what: string): Float32Array {
  if (!Array.isArray(value)) throw new RowProblem(`${what} is not a list`);
  const wrong = value.findIndex((item) => typeof item !== "number");
  if (wrong >= 0) throw new RowProblem(`${what}[${wrong}] is not a number`);
  return Float32Array.from(value);
}

/** `[..]`, `{"features": [..]}`, `{"features": {"values", "keys", "shape"}}` or `{"data": {"features": {…}}}`. */
function rowOfJson(value: unknown): Row {
  if (Array.isArray(value)) return numbers(value, "the instance");
  if (!isObject(value)) throw new RowProblem("an instance is a list of numbers or an object with features");
  if (isObject(value["data"])) return rowOfJson(value["data"]);
  const features = value["features"];
  if (!isObject(features)) return numbers(features, "features");
  const values = numbers(features["values"], "features.values");
  if (features["keys"] === undefined) return values;
  const side = Array.isArray(features["shape"]) ? features["shape"].at(-1) : undefined;
  if (typeof side !== "number") throw new RowProblem("sparse features need a shape");
  return sparseRow(side, Float64Array.from(numbers(features["keys"], "features.keys")), values);
}

function jsonRows(body: Uint8Array): Row[] {
  const parsed = parseJsonLine(body, source, 1);
  const instances = Array.isArray(parsed) ? parsed : isObject(parsed) ? parsed["instances"] : undefined;
  if (!Array.isArray(instances)) throw new RequestError(400, 'the JSON body needs a list "instances"');
  return instances.map((instance, index) => numbered(index + 1, "record", () => rowOfJson(instance)));
}

function numbered<T>(number: number, unit: "record" | "line", read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RowProblem) throw new FormatError(source, number, error.message, unit);
    throw error;
  }
}

function jsonLineRows(body: Uint8Array): Row[] {
  const splitter = new LineSplitter(source);
  const lines = [...splitter.push(body), ...splitter.end()];
  return lines.flatMap((line, index) =>
    line.length === 0 ? [] : [numbered(index + 1, "line", () => rowOfJson(parseJsonLine(line, source, index + 1)))],
  );
}

function csvRows(body: Uint8Array, type: ContentType): Row[] {
  const parser = new CsvNumberParser(source);
  const rows = [...parser.push(body), ...parser.end()];
  const labelSize = labelSizeOf(type, 0);
  return labelSize > 0 ? rows.map((row) => row.subarray(labelSize)) : rows;
}

function recordRows(body: Uint8Array, width: number): Row[] {
  const splitter = new RecordIoSplitter(source);
  const records = splitter.push(body);
  splitter.end();
  return records.map((record, index) =>
    numbered(index + 1, "record", () => rowOfRecord(decodeRecord(record, source, index + 1), width)),
  );
}

function decoded(body: Uint8Array, type: ContentType, width: number): Row[] {
  switch (type.type) {
    case "text/csv":
      return csvRows(body, type);
    case "application/json":
      return jsonRows(body);
    case "application/jsonlines":
      return jsonLineRows(body);
    case "application/x-recordio-protobuf":
      return recordRows(body, width);
    default:
      throw new RequestError(
        415,
        `content type '${type.type}' is not supported; use one of ${requestTypes.join(", ")}`,
      );
  }
}

/** Throws RequestError: 415 for the type, 400 for an empty body, bad data or a row of another width. */
export function rowsOfRequest(body: Uint8Array, contentType: string, width: number): Row[] {
  const type = parseContentType(contentType);
  let rows: Row[];
  try {
    rows = decoded(body, type, width);
  } catch (error) {
    if (error instanceof FormatError) throw new RequestError(400, error.message);
    throw error;
  }
  if (rows.length === 0) throw new RequestError(400, "the request body holds no rows");
  rows.forEach((row, index) => {
    if (widthOf(row) === width) return;
    throw new RequestError(400, `row ${index + 1} has ${widthOf(row)} features, but the model was trained on ${width}`);
  });
  return rows;
}
