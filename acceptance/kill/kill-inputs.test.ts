// Much data and kill -9: File while it is copied, FastFile and Pipe while they are read. Not a byte is lost, and none comes twice.
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/lib/random.ts";
import { readOwnJson, taskPaths } from "../../src/task/task-folder.ts";
import { eventually } from "./eventually.ts";
import { gateFunction } from "./gates.ts";
import { noPrograms, Struck, strikes, timeout, titled } from "./struck.ts";
import { channel, described, modelOf, train, trained, trainingLogs, walkOf } from "./training.ts";

/** Large objects are files of the storage, small ones rows that come from the server. */
const sizes = { big: { objects: 24, bytes: 4 * 2 ** 20 }, small: { objects: 2_000, bytes: 2_000 } } as const;
type Prefix = keyof typeof sizes;
const prefixes: readonly Prefix[] = ["big", "small"];

const nameOf = (at: number): string => `part-${String(at).padStart(5, "0")}`;
const sha256 = (...parts: readonly Uint8Array[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");

/** What lies under a prefix, in the order of the keys. A pattern of a prime length, so that whatever is missing or double shows. */
function partsOf(prefix: Prefix): Buffer[] {
  const { objects, bytes } = sizes[prefix];
  const random = seededRandom(bytes);
  return Array.from({ length: objects }, () => Buffer.alloc(bytes, random.bytes(Math.min(bytes, 65_537))));
}

async function putAll(struck: Struck, prefix: Prefix, parts: readonly Buffer[]): Promise<void> {
  const waiting = parts.entries();
  const putter = async (): Promise<void> => {
    for (const [at, part] of waiting) await struck.put(`${prefix}/${nameOf(at)}`, part);
  };
  await Promise.all(Array.from({ length: 16 }, putter));
}

const start = `${gateFunction}
import hashlib, json
print("begun", flush=True)
base = "/opt/ml/input/data/"
def write(found):
    with open("/opt/ml/model/found.json", "w") as file: json.dump(found, file)
`;

/** The hash of each file; the gate stands in the middle of each folder. */
const reader = `${start}
found = {}
for name in ("big", "small"):
    files = sorted(os.listdir(base + name))
    for at, file in enumerate(files):
        if at == len(files) // 2: gate(name)
        with open(base + name + "/" + file, "rb") as opened:
            found[name + "/" + file] = hashlib.sha256(opened.read()).hexdigest()
write(found)
`;

/** The hash of each epoch; the gates stand in the middle of the first and between the two. */
const piped = `${start}
found = {}
for epoch in range(2):
    for name, half in (("big", ${(sizes.big.objects * sizes.big.bytes) / 2}), ("small", ${(sizes.small.objects * sizes.small.bytes) / 2})):
        hash, size = hashlib.sha256(), 0
        with open(base + name + "_" + str(epoch), "rb") as pipe:
            while chunk := pipe.read(100_000):
                if epoch == 0 and size < half <= size + len(chunk): gate(name)
                size += len(chunk)
                hash.update(chunk)
        found[name + "_" + str(epoch)] = hash.hexdigest()
    if epoch == 0: gate("between")
write(found)
`;

async function foundBy(struck: Struck, name: string): Promise<unknown> {
  const job = await trained(struck, name);
  expect([job.TrainingJobStatus, job.FailureReason]).toEqual(["Completed", undefined]);
  return JSON.parse((await modelOf(struck, name))["found.json"] ?? "");
}

const startsOf = async (struck: Struck, name: string): Promise<number> =>
  (await struck.lines(trainingLogs, `${name}/`)).filter((line) => line === "begun").length;

/** The folder of the one task there is. */
function onlyTask({ dataFolder }: Struck): string | undefined {
  const tasks = join(dataFolder, "tasks");
  const [key] = existsSync(tasks) ? readdirSync(tasks).filter((name) => !name.startsWith(".")) : [];
  return key === undefined ? undefined : join(tasks, key);
}

/** While objects are on their way: until at least so many files of the channel are there. */
async function broughtIn(struck: Struck, name: Prefix, files: number): Promise<void> {
  const count = (): number => {
    const task = onlyTask(struck);
    const folder = task === undefined ? "" : join(taskPaths(task).root, "input", "data", name);
    return existsSync(folder) ? readdirSync(folder).length : 0;
  };
  await eventually(`${files} files of ${name}`, () => (count() >= files ? true : undefined), undefined, 2);
}

/** An agent that dies between the last byte of an epoch and its note of it gives the task up: that moment is not meant. */
async function epochsNoted(struck: Struck): Promise<void> {
  const isNoted = (): true | undefined => {
    const task = onlyTask(struck);
    const state = task && readOwnJson<{ openPipes?: Record<string, boolean> }>(taskPaths(task).state);
    return state && !Object.values(state.openPipes ?? {}).includes(true) ? true : undefined;
  };
  await eventually("both epochs to be noted", isNoted);
}

async function asFiles(struck: Struck, expected: object): Promise<void> {
  const InputDataConfig = prefixes.map((name) => channel(struck, name, `${name}/`, "File"));
  await train(struck, "files", reader, { InputDataConfig });
  await broughtIn(struck, "big", 1);
  await struck.strike("the server alone");
  await broughtIn(struck, "small", 1);
  await struck.strike("the server and all its agents");
  for (const name of prefixes) {
    await struck.gates.reached(name);
    struck.gates.open(name);
  }
  expect(await foundBy(struck, "files")).toEqual(expected);
  expect(await startsOf(struck, "files")).toBe(1);
}

async function asFastFiles(struck: Struck, expected: object): Promise<void> {
  const InputDataConfig = prefixes.map((name) => channel(struck, name, `${name}/`, "FastFile"));
  await train(struck, "fast", reader, { InputDataConfig });
  await struck.gates.reached("big");
  await struck.strike("the server alone");
  // Read on while nobody is there.
  const agents = await struck.strike("the server and all its agents", async () => {
    struck.gates.open("big");
    await struck.gates.reached("small");
  });
  expect(agents).toBe(1);
  struck.gates.open("small");
  expect(await foundBy(struck, "fast")).toEqual(expected);
  expect(await startsOf(struck, "fast")).toBe(1);
}

async function asPipes(struck: Struck, expected: object): Promise<void> {
  const InputDataConfig = prefixes.map((name) => channel(struck, name, `${name}/`, "Pipe"));
  await train(struck, "piped", piped, { InputDataConfig });
  for (const name of prefixes) {
    await struck.gates.reached(name);
    await struck.strike("the server alone");
    struck.gates.open(name);
  }
  await struck.gates.reached("between");
  await epochsNoted(struck);
  expect(await struck.strike("the server and all its agents")).toBe(1);
  struck.gates.open("between");
  expect(await foundBy(struck, "piped")).toEqual(expected);
  expect(await startsOf(struck, "piped")).toBe(1);
}

/** In the middle of an epoch an agent is lost with the attempt: the next one reads everything again. */
async function asPipesAgain(struck: Struck, expected: object): Promise<void> {
  const InputDataConfig = prefixes.map((name) => channel(struck, name, `${name}/`, "Pipe"));
  await train(struck, "again", piped, { InputDataConfig, RetryStrategy: { MaximumRetryAttempts: 1 } });
  await struck.gates.reached("big");
  struck.gates.open("big");
  await struck.gates.reached("small");
  expect(await struck.strike("the server and all its agents")).toBe(1);
  await eventually("the next attempt", async () =>
    walkOf(await described(struck, "again")).includes("Restarting") ? true : undefined,
  );
  for (const name of [...prefixes, "between"]) {
    await struck.gates.reached(name);
    struck.gates.open(name);
  }
  expect(await foundBy(struck, "again")).toEqual(expected);
  expect(await startsOf(struck, "again")).toBe(2);
}

test.skipIf(noPrograms !== undefined)(
  titled(`every byte of File, FastFile and Pipe arrives, once, after kill -9 of ${strikes.join(", and of ")}`),
  { timeout },
  async () => {
    const struck = await Struck.start();
    const files: Record<string, string> = {};
    const epochs: Record<string, string> = {};
    for (const prefix of prefixes) {
      const parts = partsOf(prefix);
      await putAll(struck, prefix, parts);
      for (const [at, part] of parts.entries()) files[`${prefix}/${nameOf(at)}`] = sha256(part);
      for (const epoch of [0, 1]) epochs[`${prefix}_${epoch}`] = sha256(...parts);
    }
    await asFiles(struck, files);
    await asFastFiles(struck, files);
    await asPipes(struck, epochs);
    await asPipesAgain(struck, epochs);
    await struck.isClean();
  },
);
