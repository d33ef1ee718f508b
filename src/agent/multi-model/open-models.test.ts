import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { writeTarHeader } from "../tar/tar-header.ts";
import { setUpTask, until, type BenchOptions, type TaskBench } from "../task-bench.fake.ts";
import { modelName } from "./model-cache.ts";

/** A multi-model container with memory for two models, each a file `value` that it answers with. Its memory is gone when it is told so. */
const container = `const http = require("http"), fs = require("fs"), path = require("path"); let models = new Map(), hasForgotten = false;
  http.createServer(async (q, r) => {
    let body = ""; for await (const part of q) body += part;
    const say = (status, text) => r.writeHead(status, { "x-seen": q.headers["x-amzn-sagemaker-target-model"] ?? "", "x-salvia-model-problem": "no-model" }).end(text);
    const [, first, name, verb] = q.url.split("/");
    if (first === "ping") return say(200, "");
    if (name === undefined && q.method === "GET") return say(200, JSON.stringify({ models: [...models.keys()].map((modelName) => ({ modelName })) }));
    if (name === undefined) {
      const { model_name, url } = JSON.parse(body);
      if (models.size >= 2) return say(507, "no memory");
      console.log("load");
      models.set(model_name, fs.readFileSync(path.join(process.env.SAGEMAKER_BASE_DIR, url.slice("/opt/ml/".length), "value"), "utf8"));
      return say(200, "{}");
    }
    if (body === "forget" && !hasForgotten) { hasForgotten = true; models = new Map(); }
    if (!models.has(name)) return say(404, "unknown");
    if (q.method === "DELETE") { models.delete(name); console.log("unload"); return say(200, ""); }
    say(body === "fail" ? 500 : 200, models.get(name) + " " + body);
  }).listen(process.env.SAGEMAKER_BIND_TO_PORT, process.env.SALVIA_BIND_HOST);`;

const header = { mode: 0o600, modifiedAtSeconds: 0, linkName: "", type: "0" };
/** An archive of one file. */
const archive = (value: string, name = "value"): Buffer => {
  const bytes = Buffer.alloc(512);
  bytes.write(value);
  return gzipSync(
    Buffer.concat([writeTarHeader({ ...header, name, sizeBytes: value.length }), bytes, Buffer.alloc(1_024)]),
  );
};

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly problem: string | null;
  readonly seen: string | null;
}

async function setUp(onTestFinished: NonNullable<BenchOptions["onTestFinished"]>) {
  const bench = await setUpTask({ onTestFinished });
  for (const name of ["a", "b", "c"])
    bench.server.objects.set(encodeURIComponent(`dir/${name}`), archive(`value of ${name}`));
  await bench.start(container, { purpose: "hosting", multiModel: { keepsLoaded: true } });
  await until("serving", () => addressOf(bench) !== undefined);
  const invoke = async (target: string, body = "asked"): Promise<Answer> => {
    const headers = { "x-salvia-target-model": encodeURIComponent(target) };
    const answer = await fetch(`${addressOf(bench)}/invocations`, { method: "POST", headers, body });
    const seen = answer.headers.get("x-seen");
    return {
      status: answer.status,
      text: await answer.text(),
      problem: answer.headers.get("x-salvia-model-problem"),
      seen,
    };
  };
  const count = (line: string): number => bench.server.lines().filter((each) => each === line).length;
  return { bench, invoke, count, models: join(bench.paths().root, "models") };
}

const addressOf = (bench: TaskBench): string | undefined =>
  bench.server.events.flatMap((event) => (event.type === "serving" ? [event.address] : [])).at(-1);

test.concurrent("models are brought on first use, unloaded for others, and answer under their own names", async ({
  onTestFinished,
}) => {
  const { bench, invoke, count, models } = await setUp(onTestFinished);
  const answers = await Promise.all(["one", "two", "three"].map((body) => invoke("dir/a", body)));
  expect(answers.map(({ text }) => text)).toEqual(["value of a one", "value of a two", "value of a three"]);
  expect(answers[0]).toMatchObject({ status: 200, problem: null, seen: "dir/a" });
  expect((await invoke("dir/b")).text).toBe("value of b asked");
  expect((await invoke("dir/c")).text).toBe("value of c asked");
  expect((await invoke("dir/a", "fail")).status).toBe(500);
  await until("all loads", () => count("load") === 4);
  expect(count("unload")).toBe(2);
  const value = join(models, modelName("dir/a"), "model", "value");
  expect(readFileSync(value, "utf8")).toBe("value of a");
  expect(lstatSync(value).mode & 0o777).toBe(0o644);
  expect(existsSync(join(bench.paths().folder, "models-incoming"))).toBe(false);
});

test.concurrent("an agent that was killed goes on at the same address, and loads nothing twice", async ({
  onTestFinished,
}) => {
  const { bench, invoke, count } = await setUp(onTestFinished);
  await invoke("dir/a");
  const before = addressOf(bench);
  bench.killAgent();
  await until("an answer", async () => {
    await bench.backend.inspect(bench.key);
    return invoke("dir/a").then(
      ({ text }) => text === "value of a asked",
      () => false,
    );
  });
  expect(addressOf(bench)).toBe(before);
  expect((await invoke("dir/a", "forget")).text).toBe("value of a forget");
  await until("the second load", () => count("load") === 2);
});

test.concurrent("what is no model, or would lead out of the models' folder, is refused", async ({ onTestFinished }) => {
  const { bench, invoke, models } = await setUp(onTestFinished);
  bench.server.objects.set("broken", Buffer.from("no archive"));
  bench.server.objects.set("hostile", archive("x", "../../../escaped"));
  expect(await invoke("broken")).toMatchObject({ status: 400, problem: "no-model" });
  expect(await invoke("hostile")).toMatchObject({ status: 400, problem: "no-model" });
  expect(readdirSync(models)).toEqual([]);
  const outside = join(bench.folder, "outside");
  mkdirSync(outside);
  renameSync(models, `${models}-away`);
  symlinkSync(outside, models);
  expect(await invoke("dir/a")).toMatchObject({ status: 500, problem: null });
  expect(readdirSync(outside)).toEqual([]);
});
