// Script mode on two instances lives through kill -9 before its programs start, in their middle, and while their model is uploaded.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { taskPaths } from "../../src/task/task-folder.ts";
import { eventually } from "./eventually.ts";
import { gateFunction } from "./gates.ts";
import { processesOf } from "./processes.ts";
import { noPrograms, scikitImage, strikes, Struck, timeout, titled, type Strike } from "./struck.ts";
import { channel, modelOf, train, trained, trainingLogs } from "./training.ts";

const instances = 2;
const linesEach = 200;

/** A tree that tells even rows from odd ones, with a line for every row that it looked at. */
const script = `${gateFunction}
import argparse, json
import numpy as np
from sklearn.tree import DecisionTreeClassifier
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
depth = parser.parse_args().depth
host = os.environ["SM_CURRENT_HOST"]
rows = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), delimiter=",")
print("begun", flush=True)
for at in range(${linesEach}):
    print("row", at, flush=True)
    if at == ${linesEach / 2}: gate("half")
tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(rows[:, 1:], rows[:, 0])
print("train accuracy:", tree.score(rows[:, 1:], rows[:, 0]), flush=True)
gate("trained")
with open(os.path.join(os.environ["SM_MODEL_DIR"], host + ".json"), "w") as file:
    json.dump({"depth": depth, "answers": tree.predict(rows[:, 1:]).tolist()}, file)
with open(os.path.join(os.environ["SM_MODEL_DIR"], host + ".ballast"), "w") as file: file.write(host * 1_000_000)
`;

const rows = Array.from({ length: 40 }, (_, at) => [at % 2, at % 2, at]);

/** sourcedir.tar.gz, as the SDK makes it. */
function archive(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "salvia-kill-source-"));
  try {
    writeFileSync(join(folder, "train.py"), script);
    const { status, stderr } = spawnSync("tar", ["-czf", "source.tar.gz", "train.py"], { cwd: folder });
    expect(status, String(stderr)).toBe(0);
    return readFileSync(join(folder, "source.tar.gz"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startScript(struck: Struck, name: string): Promise<void> {
  await struck.put("source/sourcedir.tar.gz", archive());
  await struck.put("rows/rows.csv", rows.map((row) => row.join(",")).join("\n"));
  await train(struck, name, undefined, {
    AlgorithmSpecification: {
      TrainingImage: scikitImage,
      TrainingInputMode: "File",
      MetricDefinitions: [{ Name: "train:accuracy", Regex: "train accuracy: ([0-9.]+)" }],
    },
    HyperParameters: {
      sagemaker_program: '"train.py"',
      sagemaker_submit_directory: JSON.stringify(struck.uri("source/sourcedir.tar.gz")),
      depth: "3",
    },
    InputDataConfig: [channel(struck, "train", "rows/")],
    ResourceConfig: { InstanceCount: instances, InstanceType: "ml.m5.large", VolumeSizeInGB: 5 },
  });
}

const agentsOf = (struck: Struck): number =>
  processesOf(struck.dataFolder).filter(({ kind }) => kind === "agent").length;

/** A program has ended, so that its model is on its way, or has arrived already. */
function hasEnded({ dataFolder }: Struck): boolean {
  const tasks = join(dataFolder, "tasks");
  const keys = readdirSync(tasks).filter((name) => !name.startsWith("."));
  return keys.length < instances || keys.some((key) => existsSync(taskPaths(join(tasks, key)).exit));
}

async function strikeThrice(struck: Struck, name: string, target: Strike): Promise<void> {
  await startScript(struck, name);
  await eventually("the agents to start", () => (agentsOf(struck) === instances ? true : undefined), 60_000, 5);
  await struck.strike(target);
  await struck.gates.reached("half", instances);
  // What is printed while nobody is there to read it is not lost either.
  const agents = await struck.strike(target, async () => {
    struck.gates.open("half");
    await struck.gates.reached("trained", instances);
  });
  expect(agents).toBe(target === "the server alone" ? 0 : instances);
  struck.gates.open("trained");
  await eventually("a program to end", () => (hasEnded(struck) ? true : undefined), 60_000, 5);
  await struck.strike(target);
}

async function expectWhole(struck: Struck, name: string): Promise<void> {
  const job = await trained(struck, name);
  expect(job.FailureReason).toBeUndefined();
  expect(job.TrainingJobStatus).toBe("Completed");
  expect(job.FinalMetricDataList?.map(({ MetricName, Value }) => [MetricName, Value])).toEqual([["train:accuracy", 1]]);
  const model = await modelOf(struck, name);
  expect(Object.keys(model).sort()).toEqual(["algo-1.ballast", "algo-1.json", "algo-2.ballast", "algo-2.json"]);
  for (const host of ["algo-1", "algo-2"]) {
    expect(JSON.parse(model[`${host}.json`] ?? "")).toEqual({ depth: 3, answers: rows.map(([kind]) => kind) });
    expect(model[`${host}.ballast`]).toBe(host.repeat(1_000_000));
    const told = (await struck.lines(trainingLogs, `${name}/${host}`)).filter((line) =>
      /^(begun|row|train)/.test(line),
    );
    const lines = Array.from({ length: linesEach }, (_, at) => `row ${at}`);
    expect(told).toEqual(["begun", ...lines, "train accuracy: 1.0"]);
  }
}

test.skipIf(noPrograms !== undefined)(
  titled(`a script on ${instances} instances lives through kill -9 of ${strikes.join(", and of ")}`),
  { timeout },
  async () => {
    const struck = await Struck.start();
    for (const [at, target] of strikes.entries()) {
      await strikeThrice(struck, `script-${at}`, target);
      await expectWhole(struck, `script-${at}`);
    }
    await struck.isClean();
  },
);
