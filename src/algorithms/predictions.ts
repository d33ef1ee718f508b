// Predictions as a response body, in the type that the client accepts.
import { encodeRecordIo } from "../formats/recordio.ts";
import { encodeRecord, type Tensor } from "../formats/record-protobuf.ts";
import type { Prediction } from "./algorithm.ts";

export const answerTypes = [
  "application/json",
  "text/csv",
  "application/jsonlines",
  "application/x-recordio-protobuf",
] as const;
export type AnswerType = (typeof answerTypes)[number];

/** A float32 as SageMaker's algorithms print it: Python's spelling, in which a float always shows that it is one. */
export function floatText(value: number): string {
  const text = String(Math.fround(value));
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const jsonValue = (value: number | readonly number[]): string =>
  typeof value === "number" ? floatText(value) : `[${value.map(floatText).join(", ")}]`;

const jsonObject = (prediction: Prediction): string =>
  `{${Object.entries(prediction)
    .map(([name, value]) => `${JSON.stringify(name)}: ${jsonValue(value)}`)
    .join(", ")}}`;

const csvLine = (prediction: Prediction): string => {
  const numbers = Object.values(prediction).flatMap((value) => (typeof value === "number" ? [value] : [...value]));
  return `${numbers.map(floatText).join(",")}\n`;
};

const tensorOf = (value: number | readonly number[]): Tensor => ({
  type: "float32",
  values: Float32Array.from(typeof value === "number" ? [value] : value),
});

function recordOf(prediction: Prediction): Uint8Array {
  const label = new Map(Object.entries(prediction).map(([name, value]): [string, Tensor] => [name, tensorOf(value)]));
  return encodeRecordIo(encodeRecord({ label }));
}

/** @param answerKey the key over the list in a JSON answer, e.g. "predictions" */
export function encodePredictions(predictions: readonly Prediction[], type: AnswerType, answerKey: string): Uint8Array {
  const text = new TextEncoder();
  switch (type) {
    case "application/json":
      return text.encode(`{${JSON.stringify(answerKey)}: [${predictions.map(jsonObject).join(", ")}]}`);
    case "application/jsonlines":
      return text.encode(predictions.map((prediction) => `${jsonObject(prediction)}\n`).join(""));
    case "text/csv":
      return text.encode(predictions.map(csvLine).join(""));
    case "application/x-recordio-protobuf":
      return Buffer.concat(predictions.map(recordOf));
  }
}
