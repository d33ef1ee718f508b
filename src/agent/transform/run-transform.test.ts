import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { TransformWork } from "../../task/transform-work.ts";
import { setUpTask, until, type TaskBench } from "../task-bench.fake.ts";
import { excerpt } from "./invoke-model.ts";
import { resolvedWork } from "./run-transform.ts";

const work: TransformWork = {
  contentType: "text/plain",
  splitType: "Line",
  assembleWith: "None",
  maxConcurrent: 2,
  maxPayloadMegabytes: 1,
  strategy: "SingleRecord",
  timeoutSeconds: 5,
  maxRetries: 1,
  inputFilter: "$",
  outputFilter: "$",
  join: "None",
};

/** Answers in capitals; "fail" is refused, "flaky" at first, "leave" ends the model, "slow" takes its time. */
const model = `
let flaky = 0;
require("http").createServer((request, response) => {
  if (request.url === "/ping") return response.end();
  if (request.url === "/execution-parameters") { response.statusCode = 404; return response.end(); }
  let text = "";
  request.on("data", (chunk) => (text += chunk));
  request.on("end", () => {
    if (text.startsWith("leave")) process.exit(0);
    if (text.startsWith("fail") || (text.startsWith("flaky") && flaky++ === 0)) { response.statusCode = 500; return response.end("no: " + text); }
    setTimeout(() => response.end(text.toUpperCase()), text.startsWith("slow") ? 400 : 0);
  });
}).listen(Number(process.env.SAGEMAKER_BIND_TO_PORT), process.env.SALVIA_BIND_HOST);
`;

async function transforming(
  objects: Readonly<Record<string, string | Buffer>>,
  changes: Partial<TransformWork> = {},
): Promise<TaskBench> {
  const bench = await setUpTask();
  const folder = join(bench.folder, "objects");
  mkdirSync(folder);
  const planned = Object.entries(objects).map(([name, content], at) => {
    const file = join(folder, String(at));
    writeFileSync(file, content);
    return { path: name, sizeBytes: content.length, source: { file }, isGzip: Buffer.isBuffer(content) };
  });
  bench.server.plan = { channels: [{ name: "transform", mode: "Stream", objects: planned }], modelArchives: [] };
  await bench.start(model, { purpose: "transform", transform: { ...work, ...changes } });
  return bench;
}

const outputs = (bench: TaskBench): Record<string, string> =>
  Object.fromEntries([...bench.server.files].map(([name, bytes]) => [name, bytes.toString()]));

test("every object goes through the model in its order, and its output is stored beside its name", async () => {
  const bench = await transforming({ "a.txt": "one\ntwo\n", "deep/b c.txt": gzipSync("flaky\nend"), empty: "" });
  await bench.untilEnd();
  expect(outputs(bench)).toEqual({
    "output/a.txt.out": "ONE\nTWO\n",
    "output/deep/b c.txt.out": "FLAKY\nEND",
    "output/empty.out": "",
  });
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
  expect(bench.server.end()?.failure).toBeUndefined();
});

test("a record that fails fails the task with its object's name, and leaves no output of it", async () => {
  const bench = await transforming({ "bad.txt": "one\nfail\n" }, { maxRetries: 0 });
  await bench.untilEnd();
  expect(outputs(bench)).toEqual({});
  expect(bench.server.end()).toMatchObject({
    how: "exited",
    exitCode: 1,
    failure: "ClientError: bad.txt: the model answered 500: no: fail",
  });
});

test("the objects after one that fails are done, and each that fails is named in the log", async () => {
  const objects = {
    "a.txt": "one\n",
    "b.txt": "fail\n",
    "c.txt": "three\n",
    "d.txt": "one\nfail\n",
    "e.txt": "five\n",
  };
  const bench = await transforming(objects, { maxRetries: 0, maxConcurrent: 1 });
  await bench.untilEnd();
  expect(Object.keys(outputs(bench)).toSorted()).toEqual(["output/a.txt.out", "output/c.txt.out", "output/e.txt.out"]);
  const named = (name: string): string => `ClientError: ${name}: the model answered 500: no: fail`;
  expect(bench.server.end()?.failure).toBe(`${named("b.txt")} (The log names one more object that failed.)`);
  const log = bench.server.lines().join("\n");
  expect(log).toContain("[salvia] ClientError: b.txt: the model answered 500");
  expect(log).toContain("[salvia] ClientError: d.txt: the model answered 500");
});

test("of a long answer the last line is told, too", () => {
  expect(excerpt(Buffer.from(" no é\n"))).toBe("no é");
  const told = excerpt(Buffer.from(`Traceback\n${"é".repeat(5_000)}\nValueError: below zero\n`));
  expect(told).toMatch(/^Traceback\né+ … é+\nValueError: below zero$/);
  expect(Array.from(told)).toHaveLength(603);
});

test("a model that leaves before its work is done has failed, whatever its exit code", async () => {
  const bench = await transforming({ "a.txt": "leave\n" }, { maxRetries: 100 });
  await bench.untilEnd();
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 1 });
  expect(bench.server.end()?.failure).toContain("ended with exit code 0 before its data was transformed");
});

test("an agent that is killed goes on with the objects that are left", async () => {
  const slow = Array.from({ length: 4 }, () => "slow\n").join("");
  const bench = await transforming({ first: "one\n", second: slow }, { maxConcurrent: 1 });
  await until("the first output", () => bench.server.files.has("output/first.out"));
  await until("the note of it", () => bench.killAgent());
  await until("the end", async () => {
    await bench.backend.inspect(bench.key);
    return bench.server.end() !== undefined;
  });
  expect(outputs(bench)).toEqual({ "output/first.out": "ONE\n", "output/second.out": slow.toUpperCase() });
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
});

test("the request's word counts before the container's, the container's before the default", () => {
  const { strategy: _, maxConcurrent: __, maxPayloadMegabytes: ___, ...open } = work;
  const wishes = { MaxConcurrentTransforms: 8, BatchStrategy: "SINGLE_RECORD", MaxPayloadInMB: 3 } as const;
  expect(resolvedWork(open, wishes)).toMatchObject({
    strategy: "SingleRecord",
    maxConcurrent: 8,
    maxPayloadBytes: 3 << 20,
  });
  expect(resolvedWork(open, {})).toMatchObject({ strategy: "MultiRecord", maxConcurrent: 1, maxPayloadBytes: 6 << 20 });
  expect(resolvedWork(work, wishes)).toMatchObject({ maxConcurrent: 2, maxPayloadBytes: 1 << 20 });
});
