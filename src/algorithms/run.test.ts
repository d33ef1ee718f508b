// The two programs, run in this process on a task folder: clusters that are far apart, so that the outcome is certain.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeNdArrays } from "../formats/mxnet-ndarray.ts";
import { decodeRecord } from "../formats/record-protobuf.ts";
import { RecordIoSplitter } from "../formats/recordio.ts";
import { systemClock } from "../lib/clock.ts";
import { runAlgorithm } from "./run.ts";
import { encodeRows, type FakeTask, layTaskFolder } from "./task-folder.fake.ts";
import { type Ran, trainTask } from "./training.fake.ts";

type Body = string | Uint8Array<ArrayBuffer>;

const corners = [
  [0, 0, 0],
  [100, 0, 0],
  [0, 100, 0],
] as const;

/** 300 rows, each within 0.5 of a corner. */
const rows = Array.from({ length: 300 }, (_, at) =>
  Float32Array.from(corners[at % 3]!, (value, feature) => value + ((at * 7 + feature * 3) % 11) / 11 - 0.5),
);
const csv = rows.map((row) => `${row.join(",")}\n`).join("");
const hyperparameters = { k: "3", feature_dim: "3", mini_batch_size: "50" };

const trained = (task: Partial<FakeTask>): Promise<Ran> =>
  trainTask({ hyperparameters, channels: { train: {} }, files: { "train/a": encodeRows(rows) }, ...task });

function centroidsIn(model: Uint8Array | undefined): number[][] {
  const [array] = decodeNdArrays(model ?? new Uint8Array(0), "model").arrays;
  const [k = 0, width = 0] = array?.shape ?? [];
  return Array.from({ length: k }, (_, at) =>
    [...array!.values.subarray(at * width, (at + 1) * width)].map(Math.round),
  );
}

const sorted = (rows: readonly (readonly number[])[]): string[] => rows.map(String).sort();
const expected = sorted(corners);
const tidy = (rows: number[][]): string[] => sorted(rows.map((row) => row.map((value) => value + 0)));

test("training on RecordIO finds the clusters and writes them as model_algo-1", async () => {
  const { code, model, output, failure } = await trained({});
  expect(failure).toBeUndefined();
  expect(code).toBe(0);
  expect(tidy(centroidsIn(model))).toEqual(expected);
  expect(output).toMatch(/^\[\S+ INFO algo-1\] Salvia k-means: reading configuration\n/);
  expect(output).toContain("this host read 300 records");
});

test("CSV, nested files and a label column give the same clusters", async () => {
  const half = csv.length / 2;
  const cut = csv.indexOf("\n", half) + 1;
  const files = { "train/b/x.csv": csv.slice(0, cut), "train/a.csv": csv.slice(cut) };
  const plain = await trained({ channels: { train: { ContentType: "text/csv;label_size=0" } }, files });
  expect(tidy(centroidsIn(plain.model))).toEqual(expected);
  const labelled = { "train/a.csv": csv.replaceAll(/^/gm, "9,").replace(/9,$/, "") };
  const withLabels = await trained({ channels: { train: { ContentType: "text/csv;label_size=1" } }, files: labelled });
  expect(tidy(centroidsIn(withLabels.model))).toEqual(expected);
});

test("the same job gives the same model, byte for byte", async () => {
  const [one, other] = [await trained({}), await trained({})];
  expect(one.model).toEqual(other.model);
});

test("the test channel is evaluated by the metrics asked for", async () => {
  const { output } = await trained({
    hyperparameters: { ...hyperparameters, eval_metrics: '["msd","ssd"]' },
    channels: { train: {}, test: { ContentType: "text/csv;label_size=0" } },
    files: { "train/a": encodeRows(rows), "test/a.csv": "0,0,0\n100,0,0\n" },
  });
  const msd = Number(/#quality_metric: host=algo-1, test msd <loss>=(\S+)/.exec(output)?.[1]);
  const ssd = Number(/#quality_metric: host=algo-1, test ssd <loss>=(\S+)/.exec(output)?.[1]);
  expect(msd).toBeLessThan(0.1);
  expect(ssd).toBeCloseTo(2 * msd, 10);
});

test("a job that is asked to stop saves the model made so far", async () => {
  const stop = new AbortController();
  const { root, remove } = layTaskFolder({
    hyperparameters: { ...hyperparameters, epochs: "1000000" },
    channels: { train: {} },
    files: { "train/a": encodeRows(rows) },
  });
  const stdout = { write: (text: string) => text.includes("epoch 2 ") && stop.abort() };
  const code = await runAlgorithm("kmeans", "train", {
    root,
    environment: {},
    stdout,
    clock: systemClock,
    stop: stop.signal,
  });
  const model = readFileSync(join(root, "model", "model_algo-1"));
  remove();
  expect(code).toBe(0);
  expect(tidy(centroidsIn(model))).toEqual(expected);
});

/** Trains, serves on a free port of loopback, hands out the address, and stops in good order. */
async function served(
  environment: Readonly<Record<string, string>>,
  visit: (invoke: (body: Body, headers?: Record<string, string>) => Promise<Response>, base: string) => Promise<void>,
): Promise<void> {
  const { root, remove } = layTaskFolder({
    hyperparameters,
    channels: { train: {} },
    files: { "train/a": encodeRows(rows) },
  });
  const quiet = { root, clock: systemClock };
  await runAlgorithm("kmeans", "train", {
    ...quiet,
    environment: {},
    stdout: { write: () => undefined },
    stop: new AbortController().signal,
  });
  const stop = new AbortController();
  const ready = Promise.withResolvers<string>();
  const stdout = {
    write: (text: string) => {
      const port = /serving k-means on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port !== undefined) ready.resolve(`http://127.0.0.1:${port}`);
    },
  };
  const bound = { SAGEMAKER_BIND_TO_PORT: "0", SALVIA_BIND_HOST: "127.0.0.1", ...environment };
  const serving = runAlgorithm("kmeans", "serve", { ...quiet, environment: bound, stdout, stop: stop.signal });
  try {
    const base = await ready.promise;
    await visit((body, headers = {}) => fetch(`${base}/invocations`, { method: "POST", body, headers }), base);
  } finally {
    stop.abort();
    expect(await serving).toBe(0);
    remove();
  }
}

test("every content type in and out gives the same answer", async () => {
  await served({}, async (invoke) => {
    const row = [100, 1, 0];
    const bodies: readonly (readonly [string, Body])[] = [
      ["text/csv", "100,1,0"],
      ["text/csv; label_size=1", "5,100,1,0\n"],
      ["application/json", JSON.stringify({ instances: [{ features: row }] })],
      ["application/json", JSON.stringify({ instances: [{ data: { features: { values: row } } }] })],
      [
        "application/json",
        JSON.stringify({ instances: [{ data: { features: { keys: [0, 1], shape: [3], values: [100, 1] } } }] }),
      ],
      ["application/jsonlines", `${JSON.stringify({ features: row })}\n`],
      ["application/x-recordio-protobuf", new Uint8Array(encodeRows([Float32Array.from(row)]))],
    ];
    const answers = new Set<string>();
    for (const [type, body] of bodies) answers.add(await (await invoke(body, { "content-type": type })).text());
    expect(answers.size).toBe(1);
    expect([...answers][0]).toMatch(
      /^\{"predictions": \[\{"closest_cluster": \d\.0, "distance_to_cluster": [01]\.\d+\}\]\}$/,
    );

    const as = async (accept: string): Promise<Response> => invoke("100,1,0", { "content-type": "text/csv", accept });
    expect(await (await as("text/csv")).text()).toMatch(/^\d\.0,[01]\.\d+\n$/);
    expect(await (await as("application/jsonlines")).json()).toHaveProperty("closest_cluster");
    const records = new RecordIoSplitter("answer").push(await (await as("application/x-recordio-protobuf")).bytes());
    const { label } = decodeRecord(records[0]!, "answer", 1);
    expect([...label.keys()]).toEqual(["closest_cluster", "distance_to_cluster"]);
    expect(label.get("distance_to_cluster")?.type).toBe("float32");
  });
});

test("custom attributes come back with the answer, and only where they were sent", async () => {
  await served({}, async (invoke) => {
    const name = "x-amzn-sagemaker-custom-attributes";
    const answer = await invoke("1,2,3", { "content-type": "text/csv", [name]: "trace=7; b" });
    expect(answer.headers.get(name)).toBe("trace=7; b");
    expect((await invoke("1,2,3", { "content-type": "text/csv" })).headers.has(name)).toBe(false);
  });
});

test("requests that cannot be answered say why", async () => {
  await served({ SAGEMAKER_MAX_PAYLOAD_IN_MB: "1" }, async (invoke) => {
    const refused = async (
      status: number,
      text: string,
      body: Body,
      headers: Record<string, string>,
    ): Promise<void> => {
      const response = await invoke(body, headers);
      expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(text)]);
    };
    const type = { "content-type": "text/csv" };
    await refused(400, "row 2 has 2 features, but the model was trained on 3", "1,2,3\n1,2\n", type);
    await refused(400, 'line 1: column 1 is "a", not a number', "a,2,3", type);
    await refused(400, "the request body is empty", "", type);
    await refused(400, "the request body holds no rows", "\n\n", type);
    await refused(400, 'needs a list "instances"', "{}", { "content-type": "application/json" });
    await refused(415, "content type 'image/png' is not supported", "x", { "content-type": "image/png" });
    await refused(406, "cannot answer with 'image/png'", "1,2,3", { ...type, accept: "image/png" });
    await refused(413, "over the limit of 1048576", "1,2,3\n".repeat(200_000), type);
  });
});

test("ping and execution parameters answer, other paths do not", async () => {
  await served({}, async (invoke, base) => {
    expect((await fetch(`${base}/ping`)).status).toBe(200);
    expect(await (await fetch(`${base}/execution-parameters`)).json()).toHaveProperty("BatchStrategy");
    expect((await fetch(`${base}/models`)).status).toBe(404);
    expect((await fetch(`${base}/invocations`)).status).toBe(405);
    expect((await invoke("1,2,3", { "content-type": "text/csv" })).status).toBe(200);
  });
});

test("serving without a model ends with a reason", async () => {
  const { root, remove } = layTaskFolder({ hyperparameters, channels: {}, files: {} });
  let output = "";
  const stdout = { write: (text: string) => (output += text) };
  const code = await runAlgorithm("kmeans", "serve", {
    root,
    environment: {},
    stdout,
    clock: systemClock,
    stop: new AbortController().signal,
  });
  remove();
  expect(code).toBe(1);
  expect(output).toContain("ERROR");
});

test("an algorithm that does not exist is refused by name", async () => {
  const options = {
    environment: {},
    stdout: { write: () => undefined },
    clock: systemClock,
    stop: new AbortController().signal,
  };
  await expect(runAlgorithm("kmeens", "train", options)).rejects.toThrow("no algorithm 'kmeens'; there are: kmeans");
});
