// Real agents, waiters and programs, killed and stopped in every way; a small server that keeps the rules of src/task/report.ts.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { setUpTask, until, type TaskBench } from "./task-bench.fake.ts";

test.concurrent("a task brings its data in, runs its program, brings the model out and says how it ended", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  const { server } = bench;
  const input = join(bench.folder, "input.csv");
  writeFileSync(input, "1,2,3\n");
  server.objects.set("b", Buffer.from("from the server"));
  server.plan = {
    channels: [
      {
        name: "train",
        mode: "File",
        objects: [
          { path: "a/b.csv", sizeBytes: 6, source: { file: input }, isGzip: false },
          { path: "c", sizeBytes: 15, source: { url: "objects/b" }, isGzip: false },
        ],
      },
    ],
    modelArchives: [],
  };
  await bench.start(
    `const fs = require("fs"); const root = process.env.SAGEMAKER_BASE_DIR;
     console.log(fs.readFileSync(root + "/input/data/train/a/b.csv", "utf8").trim());
     console.log(fs.readFileSync(root + "/input/data/train/c", "utf8"));
     console.log(fs.readFileSync(root + "/input/config/hyperparameters.json", "utf8"), process.env.MINE);
     fs.mkdirSync(root + "/model/sub"); fs.writeFileSync(root + "/model/sub/weights", "w".repeat(1000));
     fs.writeFileSync(root + "/output/data/notes", "n");`,
    { configFiles: { "hyperparameters.json": '{"k":"10"}' }, environment: { MINE: "it's $HOME" } },
  );
  await bench.untilEnd();
  expect(server.lines()).toEqual(["1,2,3", "from the server", `{"k":"10"} it's $HOME`]);
  expect(server.end()).toMatchObject({
    how: "exited",
    exitCode: 0,
    modelFiles: ["sub/weights"],
    outputFiles: ["notes"],
  });
  const phases = server.events.flatMap((event) => (event.type === "phase" ? [event.phase] : []));
  expect(phases).toEqual(["downloading", "running", "uploading", "exited"]);
  expect(gunzipSync(server.parts.get("model")!).toString("latin1")).toContain("sub/weights");
  await until("ended", async () => (await bench.backend.inspect(bench.key))?.state === "ended");
});

test.concurrent("a plan that cannot be made, or data that cannot be files, ends the task before its program", async ({
  onTestFinished,
}) => {
  const refused = await setUpTask({ onTestFinished });
  refused.server.plan = { failureReason: "ClientError: no object under s3://bucket/x" };
  const clashing = await setUpTask({ onTestFinished });
  const source = { file: "/dev/null" };
  const object = (path: string) => ({ path, sizeBytes: 0, source, isGzip: false });
  clashing.server.plan = {
    channels: [{ name: "train", mode: "File", objects: [object("a"), object("a/b")] }],
    modelArchives: [],
  };
  await Promise.all([refused, clashing].map((bench) => bench.start("console.log('never')")));
  await Promise.all([refused, clashing].map((bench) => bench.untilEnd()));
  expect(refused.server.end()).toEqual({ how: "setup-failed", failure: "ClientError: no object under s3://bucket/x" });
  expect(clashing.server.end()?.failure).toMatch(/Channel train: "a" is both a file and the folder of "a\/b"/);
  expect([...refused.server.lines(), ...clashing.server.lines()]).toEqual([]);
});

test.concurrent("a failed program's failure text and output arrive, its model does not", async ({ onTestFinished }) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(`const fs = require("fs"); const root = process.env.SAGEMAKER_BASE_DIR;
    fs.writeFileSync(root + "/output/failure", "é".repeat(2000)); fs.writeFileSync(root + "/model/half", "x");
    fs.writeFileSync(root + "/output/data/why", "x"); process.exit(3);`);
  await bench.untilEnd();
  const { how, exitCode, failure, modelFiles, outputFiles } = bench.server.end()!;
  expect({ how, exitCode, modelFiles, outputFiles }).toEqual({
    how: "exited",
    exitCode: 3,
    modelFiles: undefined,
    outputFiles: ["why"],
  });
  expect(failure).toBe("é".repeat(1024));
});

test.concurrent("a refused upload is told in the end, and does not last forever", async ({ onTestFinished }) => {
  const bench = await setUpTask({ onTestFinished });
  bench.server.partStatus = 413;
  await bench.start("");
  await bench.untilEnd();
  expect(bench.server.end()).toMatchObject({
    how: "exited",
    exitCode: 0,
    uploadProblem: expect.stringContaining("413"),
  });
});

test.concurrent("a report that the server will never take costs its lines, not the task's end", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  bench.server.mostLines = 100;
  await bench.start(`console.log("few"); setTimeout(() => console.log("many\\n".repeat(5000)), 500);`);
  await bench.untilEnd();
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
  expect(bench.server.lines()).toContain("few");
  expect(bench.server.lines().join("\n")).toMatch(/The server did not take \d+ lines: the server answered 413/);
});

test.skipIf(process.getuid?.() !== 0)(
  "a full disk neither ends an agent nor loses the task's end (mounting a small disk needs root)",
  async () => {
    const bench = await setUpTask();
    const mounted = join(bench.folder, "tasks");
    mkdirSync(mounted, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mounted]);
    try {
      await bench.start(`const fs = require("fs"); console.log("before");
        let full = ""; const file = fs.openSync(process.env.SAGEMAKER_BASE_DIR + "/output/data/filler", "w");
        try { for (;;) fs.writeSync(file, Buffer.alloc(4096, 1)); } catch (error) { full = error.code; }
        setTimeout(() => { fs.writeFileSync("/dev/null", ""); process.exit(full === "ENOSPC" ? 7 : 8); }, 1500);`);
      await bench.untilEnd();
      expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 7 });
      expect(bench.server.lines()).toContain("before");
    } finally {
      await bench.backend.remove(bench.key);
      execFileSync("umount", ["-l", mounted]);
    }
  },
);

test.concurrent("what a program leaves running when it ends goes too", async ({ onTestFinished }) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(`require("child_process").spawn("sleep", ["1000"], { detached: true, stdio: "ignore" }).unref();`);
  await bench.untilEnd();
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
  await until("no process", () => bench.processes().length === 0, 5_000);
});

const stubborn = `process.on("SIGTERM", () => console.log("no")); console.log("up"); setInterval(() => {}, 1000);`;
const obedient = `process.on("SIGTERM", () => { console.log("bye");
  require("fs").writeFileSync(process.env.SAGEMAKER_BASE_DIR + "/model/soFar", "m"); process.exit(0); });
  console.log("up"); setInterval(() => {}, 1000);`;

test.concurrent("a stop reaches the program within about a second, and its model so far is kept", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(obedient);
  await bench.untilLine("up");
  const asked = Date.now();
  bench.server.stop = true;
  await bench.untilLine("bye");
  expect(Date.now() - asked).toBeLessThan(2_500);
  await bench.untilEnd();
  expect(bench.server.end()).toMatchObject({ how: "stopped", exitCode: 0, modelFiles: ["soFar"] });
});

test.concurrent("a program that ignores SIGTERM is killed after the grace, children and all", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  const child = `require("child_process").spawn("sleep", ["1000"], { detached: true }); ${stubborn}`;
  await bench.start(child);
  await bench.untilLine("up");
  await bench.backend.stop(bench.key, 1);
  await bench.untilEnd();
  expect(bench.server.lines()).toEqual(["up", "no"]);
  expect(bench.server.end()).toMatchObject({ how: "stopped", exitCode: 137, signal: "SIGKILL" });
  await until("no process", () => bench.processes().length === 0, 5_000);
});

test.concurrent("a program's time is measured from its release, also by an agent that was restarted", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(obedient, { maxRuntimeSeconds: 2 });
  await bench.untilLine("up");
  bench.killAgent();
  await keepAdopting(bench);
  const { how, startedAt, endedAt } = bench.server.end()!;
  expect(how).toBe("timed-out");
  expect(endedAt! - startedAt!).toBeGreaterThanOrEqual(1_990);
  expect(endedAt! - startedAt!).toBeLessThan(4_500);
});

test.concurrent("every line arrives once and in order, however often the agent is killed", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  const count = 3_000;
  // Lines of many lengths, some in pieces, for about ten seconds, the last of them once all kills are done, however slow this machine is;
  // the file counts how often the program began.
  await bench.start(
    `const fs = require("fs"); fs.appendFileSync(process.env.COUNT, "x"); let at = 0;
     const tick = setInterval(() => { if (at > ${count - 10} && !fs.existsSync(process.env.GO)) return; for (let i = 0; i < 6 && at < ${count}; i++, at++) {
       const line = "line " + at + " " + "é".repeat(at % 97);
       fs.writeSync(1, line.slice(0, 5)); fs.writeSync(1, line.slice(5) + "\\n"); }
       if (at >= ${count}) clearInterval(tick); }, 20);`,
    { environment: { COUNT: join(bench.folder, "count"), GO: join(bench.folder, "go") } },
  );
  let kills = 0;
  while (kills < 25 && !bench.server.end()) {
    await systemClock.sleep(20 + Math.random() * 230);
    if (bench.killAgent() && ++kills % 4 === 0) bench.server.answersToLose = 1;
    await bench.backend.inspect(bench.key);
  }
  writeFileSync(join(bench.folder, "go"), "");
  await keepAdopting(bench);
  expect(kills).toBe(25);
  expect(bench.server.lines()).toEqual(Array.from({ length: count }, (_, at) => `line ${at} ${"é".repeat(at % 97)}`));
  expect(bench.server.events.filter(({ type }) => type === "end")).toHaveLength(1);
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
  expect(readFileSync(join(bench.folder, "count"), "utf8")).toBe("x");
}, 120_000);

/** As the server does: looks at the task until it has ended. */
async function keepAdopting(bench: TaskBench): Promise<void> {
  const look = async (): Promise<boolean> => {
    await bench.backend.inspect(bench.key);
    return bench.server.end() !== undefined;
  };
  await until("the end", look);
}

test.concurrent("a program that was killed with its waiter is lost; one that was killed alone has a signal", async ({
  onTestFinished,
}) => {
  const lost = await setUpTask({ onTestFinished });
  const killed = await setUpTask({ onTestFinished });
  await lost.start(stubborn);
  await killed.start(`console.log("pid " + process.pid); setInterval(() => {}, 1000)`);
  await lost.untilLine("up");
  lost.killWaiter();
  await until("a line", () => killed.server.lines().length === 1);
  process.kill(Number(killed.server.lines()[0]!.slice(4)), "SIGKILL");
  await Promise.all([lost.untilEnd(), killed.untilEnd()]);
  expect(lost.server.end()?.how).toBe("lost");
  expect(killed.server.end()).toMatchObject({ how: "exited", signal: "SIGKILL", exitCode: 137 });
  await until("no process", () => lost.processes().length === 0, 5_000);
});

test.concurrent("a program that was killed with its agent is lost, though its waiter has noted the signal", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(`console.log("pid " + process.pid); setInterval(() => {}, 1000)`);
  await until("a line", () => bench.server.lines().length === 1);
  bench.killAgent();
  process.kill(Number(bench.server.lines()[0]!.slice(4)), "SIGKILL");
  await until("the waiter's note", () => existsSync(bench.paths().exit));
  await keepAdopting(bench);
  expect(bench.server.end()).toMatchObject({ how: "lost" });
  const phases = bench.server.events.flatMap((event) => (event.type === "phase" ? [event.phase] : []));
  expect(phases).not.toContain("uploading");
});

test.concurrent("a program whose boot is over is lost, never started again", async ({ onTestFinished }) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(stubborn);
  await bench.untilLine("up");
  bench.killAgent();
  bench.killWaiter();
  const { waiter, state } = bench.paths();
  const anotherBoot = (path: string) =>
    writeFileSync(
      path,
      readFileSync(path, "utf8").replaceAll(
        readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
        "another-boot",
      ),
    );
  const [program] = bench.processes().filter((pid) => !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("agent"));
  if (program) process.kill(program, "SIGKILL");
  anotherBoot(waiter);
  anotherBoot(state);
  await keepAdopting(bench);
  expect(bench.server.end()?.how).toBe("lost");
  expect(bench.server.lines()).toEqual(["up"]);
});

test.concurrent("while the server is away the program goes on, and everything is told later", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(
    `console.log("one"); setTimeout(() => console.log("two"), 700); setTimeout(() => console.log("three"), 900)`,
  );
  await bench.untilLine("one");
  bench.server.isAway = true;
  await until("the exit", () => existsSync(bench.paths().exit));
  bench.server.isAway = false;
  await bench.untilEnd();
  expect(bench.server.lines()).toEqual(["one", "two", "three"]);
});

test.concurrent("a server that comes back on another port is found by its file", async ({ onTestFinished }) => {
  const before = await setUpTask({ onTestFinished });
  const after = await setUpTask({ onTestFinished });
  const file = join(before.folder, "server.json");
  writeFileSync(file, JSON.stringify({ url: before.server.url }));
  await before.start(`console.log("up"); setTimeout(() => {}, 500)`, {
    server: { url: "http://127.0.0.1:9", token: before.server.token, file },
  });
  await before.untilLine("up");
  after.server.sequence = before.server.sequence;
  before.server.isAway = true;
  writeFileSync(file, JSON.stringify({ url: after.server.url }));
  await after.untilEnd();
});

test.concurrent("a task that the server no longer knows ends, and its folder goes", async ({ onTestFinished }) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(obedient);
  await bench.untilLine("up");
  bench.server.isGone = true;
  await until("no folder", () => !existsSync(bench.paths().folder), 5_000);
  await until("no process", () => bench.processes().length === 0, 5_000);
});

test.concurrent("an agent whose folder vanished ends its program and leaves", async ({ onTestFinished }) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(stubborn);
  await bench.untilLine("up");
  rmSync(bench.paths().folder, { recursive: true, force: true });
  await until("no process", () => bench.processes().length === 0, 5_000);
});

test.concurrent("a second agent on the same folder leaves at once", async ({ onTestFinished }) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(stubborn);
  await bench.untilLine("up");
  const entry = join(import.meta.dirname, "agent-entry.fake.ts");
  const second = spawn(process.execPath, [entry, "agent", bench.paths().folder], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  second.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise((resolve) => second.on("close", resolve));
  expect(code).toBe(0);
  expect(text).toContain("another agent holds the task");
  expect(bench.server.end()).toBeUndefined();
});

test.concurrent("a hosting task serves on its own address, says when it is ready, and keeps its port through a restart", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  const source = `const http = require("http"); let ready = false; setTimeout(() => { ready = true; }, 300);
    http.createServer((q, r) => r.writeHead(ready ? 200 : 503).end()).listen(process.env.SAGEMAKER_BIND_TO_PORT, process.env.SALVIA_BIND_HOST);`;
  await bench.start(source, { purpose: "hosting" });
  const serving = () => bench.server.events.flatMap((event) => (event.type === "serving" ? [event] : []));
  await until("serving", () => serving().length === 1);
  const [first] = serving();
  expect(first).toMatchObject({ ready: true, address: expect.stringMatching(/^http:\/\/127\.99\.2\.1:\d+$/) });
  expect((await fetch(first!.address)).status).toBe(200);
  bench.killAgent();
  await until("serving again", async () => {
    await bench.backend.inspect(bench.key);
    return serving().length === 2;
  });
  expect(serving()[1]!.address).toBe(first!.address);
  bench.server.stop = true;
  await bench.untilEnd();
  expect(bench.server.end()).toMatchObject({ how: "stopped", signal: "SIGTERM" });
  expect(bench.server.parts.size).toBe(0);
});

test.concurrent("the gateway passes requests on unchanged, hands out credentials for its token, and keeps Salvia's own routes closed", async ({
  onTestFinished,
}) => {
  const bench = await setUpTask({ onTestFinished });
  await bench.start(
    `(async () => { const url = process.env.AWS_ENDPOINT_URL; const token = process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
      const r = await fetch(url + "/bucket/key%20x?a=1", { method: "PUT", body: "hello" }); console.log((await r.json()).from);
      const c = await fetch(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers: { authorization: token } });
      console.log((await c.json()).AccessKeyId);
      console.log((await fetch(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI)).status);
      for (const p of ["/_salvia/tasks/x/plan", "/%5Fsalvia/tasks/x/plan", "//_salvia/x", "/a/..%2f_salvia/x"]) {
        const h = { authorization: token }; console.log((await fetch(url + p, { headers: h })).status); }
      console.log(url); })();`,
    { network: { host: "algo-1", addresses: { "algo-1": "127.99.2.3" }, isAlone: false } },
  );
  await bench.untilEnd();
  const [from, access, ...statuses] = bench.server.lines();
  const url = statuses.pop();
  expect([from, access, ...statuses]).toEqual(["salvia", "ASIA", "403", "403", "403", "403", "403"]);
  expect(bench.server.forwarded).toEqual([`PUT /bucket/key%20x?a=1 ${url?.slice(7)} hello`]);
});
