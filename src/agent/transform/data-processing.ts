// InputFilter, JoinSource and OutputFilter of batch transform, record by record (AWS: "Associate Prediction Results with Input Records").
import { applyJsonPath, parseJsonPath, type JsonPath } from "../../formats/json-path/json-path.ts";
import { hasDataProcessing, type TransformWork } from "../../task/transform-work.ts";
import { StageError } from "../planned-path.ts";

type Shape = "csv" | "json";

const plainType = (type: string | undefined): string => (type ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

function shapeOf(type: string | undefined): Shape | undefined {
  const plain = plainType(type);
  if (plain === "text/csv") return "csv";
  return ["application/json", "application/jsonlines"].includes(plain) ? "json" : undefined;
}

/** The fields as they stand, with their quotes. */
export function csvFields(line: string): string[] {
  const fields: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at <= line.length; at++) {
    const mark = line[at];
    if (mark === '"') isQuoted = !isQuoted;
    else if (at === line.length || (mark === "," && !isQuoted)) {
      fields.push(line.slice(from, at));
      from = at + 1;
    }
  }
  return fields;
}

const withoutEnd = (text: string): string => text.replace(/\r?\n$/, "");

function parsed(line: string, shape: Shape): unknown {
  if (shape === "csv") return csvFields(line);
  try {
    return JSON.parse(line) as unknown;
  } catch {
    throw new StageError(`a record is no JSON: ${line.slice(0, 100)}`);
  }
}

function written(value: unknown, shape: Shape, filter: string): string {
  if (value === undefined) throw new StageError(`the filter ${filter} finds nothing in a record`);
  if (shape === "json") return JSON.stringify(value);
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export interface DataProcessing {
  /** What the model is given of a record. */
  filtered(record: Buffer): Buffer;
  /** The lines that become of an answer and the records that it is for. Throws StageError when they do not fit together. */
  results(records: readonly Buffer[], answer: Buffer): Buffer;
}

class FilteredRecords implements DataProcessing {
  readonly #work: TransformWork;
  readonly #input: JsonPath;
  readonly #output: JsonPath;
  readonly #inputShape: Shape;
  readonly #outputShape: Shape;

  constructor(work: TransformWork, inputShape: Shape, outputShape: Shape) {
    this.#work = work;
    this.#input = parseJsonPath(work.inputFilter);
    this.#output = parseJsonPath(work.outputFilter);
    this.#inputShape = inputShape;
    this.#outputShape = outputShape;
  }

  filtered(record: Buffer): Buffer {
    const { inputFilter } = this.#work;
    if (inputFilter === "$") return record;
    const text = record.toString("utf8");
    const line = withoutEnd(text);
    const value = applyJsonPath(this.#input, parsed(line, this.#inputShape));
    return Buffer.from(written(value, this.#inputShape, inputFilter) + text.slice(line.length));
  }

  results(records: readonly Buffer[], answer: Buffer): Buffer {
    const outputs = this.#answers(answer.toString("utf8"), records.length);
    const lines = outputs.map((output, at) => this.#result(withoutEnd(records[at]!.toString("utf8")), output));
    return Buffer.from(lines.map((line) => `${line}\n`).join(""));
  }

  /** One for each record: lines, or, of a single record, all of it. */
  #answers(text: string, count: number): string[] {
    if (count === 1 && this.#outputShape === "json") return [text.trim()];
    const lines = withoutEnd(text).split(/\r?\n/);
    if (lines.length === count) return lines;
    throw new StageError(`the model answered ${lines.length} lines for ${count} records: they cannot be joined`);
  }

  #result(record: string, output: string): string {
    const { join, outputFilter } = this.#work;
    const answered = parsed(output, this.#outputShape);
    const whole = join === "Input" ? this.#joined(record, answered) : answered;
    if (outputFilter === "$" && join === "None") return output;
    const shape = join === "Input" && this.#inputShape === "csv" ? "csv" : this.#outputShape;
    return written(applyJsonPath(this.#output, whole), shape, outputFilter);
  }

  #joined(record: string, answered: unknown): unknown {
    const input = parsed(record, this.#inputShape);
    if (this.#inputShape === "csv") {
      const columns = Array.isArray(answered) ? (answered as unknown[]) : [answered];
      const asFields = columns.map((column) => (typeof column === "string" ? column : JSON.stringify(column)));
      return [...(input as string[]), ...asFields];
    }
    return isObject(input)
      ? { ...input, SageMakerOutput: answered }
      : { SageMakerInput: input, SageMakerOutput: answered };
  }
}

/** Undefined where nothing is to be done. Throws StageError for types that have no records. */
export function dataProcessing(work: TransformWork): DataProcessing | undefined {
  if (!hasDataProcessing(work)) return undefined;
  const inputShape = shapeOf(work.contentType);
  const outputShape = shapeOf(work.accept ?? work.contentType);
  if (!inputShape || !outputShape)
    throw new StageError(
      `DataProcessing needs text/csv, application/json or application/jsonlines, not ${work.contentType ?? "no ContentType"} and ${work.accept ?? "no Accept"}`,
    );
  return new FilteredRecords(work, inputShape, outputShape);
}
