// What is wrong with the data or the job's set-up is said with file and record, as a ClientError.
import { expect, test } from "vitest";
import { encodeRecord } from "../../formats/record-protobuf.ts";
import { encodeRecordIo } from "../../formats/recordio.ts";
import { encodeRows, type FakeTask } from "../task-folder.fake.ts";
import { trainTask } from "../training.fake.ts";

const hyperparameters = { k: "3", feature_dim: "3", mini_batch_size: "50" };
const rows = Array.from({ length: 120 }, (_, at) => Float32Array.of(at % 3, (at % 5) * 10, at));
const good = encodeRows(rows);
const text = rows.map((row) => `${row.join(",")}\n`).join("");
const csv = { train: { ContentType: "text/csv;label_size=0" } };

/** The rows with one of them replaced. */
const withRow = (number: number, row: Float32Array): Uint8Array =>
  encodeRows([...rows.slice(0, number - 1), row, ...rows.slice(number)]);

const sparse = (keys: readonly number[], values: readonly number[]): Uint8Array =>
  encodeRecordIo(
    encodeRecord({
      features: new Map([
        ["values", { type: "float32" as const, values: Float32Array.from(values), keys: [...keys], shape: [3] }],
      ]),
    }),
  );

const notANumber = "it holds a value that is NaN, infinite or too large";

const failing: readonly (readonly [what: string, task: Partial<FakeTask>, failure: string])[] = [
  ["a missing hyperparameter", { hyperparameters: { feature_dim: "3" } }, "Invalid hyperparameters: 'k' is a required"],
  [
    "a missing channel",
    { channels: {}, files: {} },
    "the channel 'train' is missing from the input data configuration",
  ],
  ["an unknown channel", { channels: { train: {}, extra: {} } }, "k-means has no channel 'extra'; it reads 'train'"],
  [
    "a content type that is not read",
    { channels: { train: { ContentType: "image/png" } } },
    "channel 'train': content type 'image/png' is not supported",
  ],
  ["no folder", { files: {} }, "the channel 'train' holds no records: its folder holds no files"],
  ["an empty file", { files: { "train/a": "" } }, "the channel 'train' holds no records: train/a is empty"],
  [
    "empty files",
    { files: { "train/a": "", "train/b/c": "" } },
    "the channel 'train' holds no records: its 2 files are empty, like train/a",
  ],
  [
    "a CSV file of blank lines",
    { channels: csv, files: { "train/a.csv": "\n\n" } },
    "the channel 'train' holds no records: train/a.csv is without rows",
  ],
  [
    "an empty test channel",
    { channels: { train: {}, test: {} }, files: { "train/a": good, "test/a": "" } },
    "the channel 'test' holds no records: test/a is empty",
  ],
  [
    "fewer rows than k",
    { files: { "train/a": encodeRows(rows.slice(0, 2)) } },
    "the channel 'train' holds only 2 records, fewer than k=3",
  ],
  [
    "fewer different rows than k",
    { files: { "train/a": encodeRows(Array.from({ length: 60 }, () => Float32Array.of(1, 2, 3))) } },
    "the training data gives only 1 different centres, fewer than k=3",
  ],
  [
    "another feature_dim",
    { hyperparameters: { ...hyperparameters, feature_dim: "4" } },
    "train/a: record 1: it has 3 features, but feature_dim is 4",
  ],
  [
    "another width in the middle of a shard",
    { files: { "train/a": good, "train/b": withRow(77, Float32Array.of(1, 2)) } },
    "train/b: record 77: it has 2 features, but feature_dim is 3",
  ],
  [
    "another width in the middle of a CSV file",
    { channels: csv, files: { "train/a.csv": `${text}1,2,3,4\n${text}` } },
    "train/a.csv: line 121: it has 4 features, but feature_dim is 3",
  ],
  [
    "NaN",
    { files: { "train/a": good, "train/b": withRow(101, Float32Array.of(1, NaN, 2)) } },
    `train/b: record 101: ${notANumber}`,
  ],
  [
    "Infinity",
    { files: { "train/a": withRow(1, Float32Array.of(-Infinity, 0, 2)) } },
    `train/a: record 1: ${notANumber}`,
  ],
  [
    "values whose squares overflow",
    { files: { "train/a": withRow(9, Float32Array.of(1e30, 0, 0)) } },
    `train/a: record 9: ${notANumber}`,
  ],
  ["nothing but NaN", { files: { "train/a": encodeRows(rows.map(() => Float32Array.of(NaN, NaN, NaN))) } }, notANumber],
  [
    "NaN in a CSV file",
    { channels: csv, files: { "train/a.csv": `${text}1,nan,3\n` } },
    `train/a.csv: line 121: ${notANumber}`,
  ],
  [
    "NaN in the test channel",
    {
      channels: { train: {}, test: {} },
      files: { "train/a": good, "test/a": withRow(33, Float32Array.of(NaN, 1, 2)) },
    },
    `test/a: record 33: ${notANumber}`,
  ],
  [
    "a word in a CSV file",
    { channels: csv, files: { "train/a.csv": `a,b,c\n${text}` } },
    'train/a.csv: line 1: column 1 is "a", not a number (a header line is not allowed)',
  ],
  [
    "CSV that is not declared",
    { files: { "train/a": good, "train/b.csv": text } },
    "train/b.csv: record 1: it is text, but the channel's content type is 'application/x-recordio-protobuf'; for CSV set ContentType to 'text/csv'",
  ],
  [
    "RecordIO declared as CSV",
    { channels: csv, files: { "train/a.csv": text, "train/b": good } },
    "train/b: record 1: it is RecordIO, but the channel's content type is 'text/csv'",
  ],
  [
    "other bytes",
    { files: { "train/a": Uint8Array.from({ length: 100 }, (_, at) => at * 7) } },
    "train/a: record 1: expected the RecordIO magic",
  ],
  [
    "a record that is cut off",
    { files: { "train/a": good.subarray(0, good.length - 5) } },
    "train/a: record 120: the file ends inside the record",
  ],
  [
    "a sparse key beyond the width",
    { files: { "train/a": Buffer.concat([sparse([0], [1]), sparse([3], [1])]) } },
    "train/a: record 2: key 3 is outside 0..2",
  ],
];

test.each(failing)("%s fails the job and says where", async (_, task, failure) => {
  const ran = await trainTask({ hyperparameters, channels: { train: {} }, files: { "train/a": good }, ...task });
  expect(ran.failure).toMatch(/^ClientError: /);
  expect(ran.failure).toContain(failure);
  expect(ran.code).toBe(1);
  expect(ran.model).toSatisfy((model) => model === undefined || "test" in (task.channels ?? {}));
});

test("an empty file among others, like Spark's _SUCCESS, is passed over", async () => {
  const files = { "train/_SUCCESS": "", "train/part-0": good };
  expect(await trainTask({ hyperparameters, channels: { train: {} }, files })).toMatchObject({ code: 0 });
});
