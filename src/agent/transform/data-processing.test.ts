import { expect, test } from "vitest";
import type { TransformWork } from "../../task/transform-work.ts";
import { csvFields, dataProcessing } from "./data-processing.ts";

const plain: TransformWork = {
  splitType: "Line",
  assembleWith: "None",
  timeoutSeconds: 1,
  maxRetries: 0,
  inputFilter: "$",
  outputFilter: "$",
  join: "None",
};
const csv = { ...plain, contentType: "text/csv", accept: "text/csv" };
const lines = { ...plain, contentType: "application/jsonlines", accept: "application/jsonlines" };

function processed(work: TransformWork, records: readonly string[], answer: string): string {
  const processing = dataProcessing(work);
  if (!processing) throw new Error("there is nothing to process");
  return processing
    .results(
      records.map((record) => Buffer.from(record)),
      Buffer.from(answer),
    )
    .toString();
}

test("without filters and join nothing is touched", () => {
  expect(dataProcessing(plain)).toBeUndefined();
});

test.each([
  ["$[1:]", '7,"a,b",2\r\n', '"a,b",2\r\n'],
  ["$[0]", "7,8\n", "7\n"],
  ["$[-2:]", "1,2,3", "2,3"],
])("the input filter %s makes of %j %j", (inputFilter, record, expected) => {
  expect(
    dataProcessing({ ...csv, inputFilter })
      ?.filtered(Buffer.from(record))
      .toString(),
  ).toBe(expected);
});

test("the answer's columns follow the input's, and the output filter picks of both", () => {
  const work = { ...csv, inputFilter: "$[1:]", join: "Input", outputFilter: "$[0,-1]" } as const;
  expect(processed(work, ["id-1,5,6\n", "id-2,7,8"], "0.5\n0.25\n")).toBe("id-1,0.5\nid-2,0.25\n");
  expect(processed({ ...csv, join: "Input" }, ['"x,y",1\n'], "2,3")).toBe('"x,y",1,2,3\n');
});

test("a JSON record gets SageMakerOutput; what is no object becomes SageMakerInput beside it", () => {
  const work = { ...lines, join: "Input" } as const;
  expect(processed(work, ['{"id":1}\n', "[2]\n"], '{"score":0.5}\n{"score":1}\n')).toBe(
    '{"id":1,"SageMakerOutput":{"score":0.5}}\n{"SageMakerInput":[2],"SageMakerOutput":{"score":1}}\n',
  );
  expect(processed({ ...work, outputFilter: "$['id','SageMakerOutput']" }, ['{"id":1,"x":2}'], "3")).toBe(
    '{"id":1,"SageMakerOutput":3}\n',
  );
});

test("a JSON answer may end a CSV row, and one document answers one record", () => {
  const work = { ...plain, contentType: "text/csv", accept: "application/json", join: "Input" } as const;
  expect(processed(work, ["1,2\n"], '{\n "score": 3 }\n')).toBe('1,2,{"score":3}\n');
  expect(processed({ ...lines, outputFilter: "$.score" }, ["{}"], '{"score":3}')).toBe("3\n");
});

test("what does not fit together is refused in words", () => {
  const work = { ...csv, join: "Input" } as const;
  expect(() => processed(work, ["1\n", "2\n"], "only one\n")).toThrow("1 lines for 2 records");
  expect(() => processed({ ...csv, outputFilter: "$[9]" }, ["1"], "1")).toThrow("the filter $[9] finds nothing");
  expect(() => processed({ ...lines, join: "Input" }, ["no json"], "1")).toThrow("a record is no JSON: no json");
  expect(() => dataProcessing({ ...plain, contentType: "image/png", join: "Input" })).toThrow("text/csv");
});

test("fields keep their quotes, and commas inside of them", () => {
  expect(csvFields('a,"b,""c""",,d')).toEqual(["a", '"b,""c"""', "", "d"]);
  expect(csvFields("")).toEqual([""]);
});
