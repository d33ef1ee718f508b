// Containers of a real engine, where one answers and has the base image (tools/docker/start, tools/docker/base-image).
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { setUpTask, until, type TaskBench } from "../../agent/task-bench.fake.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import type { ImageProgram, TaskSpec } from "../../task/task.ts";
import { describeComputeBackend } from "../contract/life.contract.ts";
import { createDockerBackend, installationOf } from "./docker-backend.ts";

const image = "salvia-test/python:3";
const docker = (...words: string[]): string =>
  spawnSync("docker", words, { encoding: "utf8", timeout: 60_000 }).stdout?.trim() ?? "";
const hasImage = docker("image", "inspect", "--format", "{{.Id}}", image).startsWith("sha256:");
const title = (text: string): string =>
  hasImage ? text : `${text} (skipped: no Docker Engine answers here, or it lacks ${image})`;
const dockerTest = test.skipIf(!hasImage);

const python = (source: string, more: Partial<ImageProgram> = {}): ImageProgram => ({
  kind: "image",
  image,
  localNames: [image],
  entrypoint: ["python3", "-uc"],
  arguments: [source],
  limits: { instanceType: "ml.m5.large", cpus: 1, memoryBytes: 256 * 1024 * 1024, gpus: 0, neuronDevices: 0 },
  ...more,
});

interface Bench {
  readonly bench: TaskBench;
  readonly backend: ReturnType<typeof createDockerBackend>;
  readonly spec: (program: ImageProgram, more?: Partial<TaskSpec>) => TaskSpec;
}

async function setUp(engineAddress?: string): Promise<Bench> {
  const bench = await setUpTask({
    wrap: (agents, dataFolder) => createDockerBackend({ agents, dataFolder, engineAddress, log: silentLog }),
  });
  onTestFinished(() => {
    const label = `label=io.salvia.installation=${installationOf(bench.folder)}`;
    for (const id of docker("ps", "-aq", "--filter", label).split("\n")) if (id !== "") docker("rm", "-f", id);
    for (const id of docker("network", "ls", "-q", "--filter", label).split("\n"))
      if (id !== "") docker("network", "rm", id);
  });
  return {
    bench,
    backend: bench.backend,
    spec: (program, more) => ({
      ...bench.spec("", more),
      program,
      network: { host: "algo-1", addresses: { "algo-1": "127.99.2.1" }, isAlone: true },
      ...more,
    }),
  };
}

interface Door {
  readonly address: string;
  shut(): Promise<void>;
  open(): Promise<void>;
}

/** A way to the engine that can be shut. */
async function door(): Promise<Door> {
  const path = join(mkdtempSync(join(tmpdir(), "salvia-door-")), "docker.sock");
  const passing = new Set<Socket>();
  const server = createServer((socket) => {
    const engine = connect("/var/run/docker.sock");
    for (const end of [socket, engine]) {
      passing.add(end);
      end.on("error", () => end.destroy());
    }
    socket.pipe(engine).pipe(socket);
  });
  const open = () => new Promise<void>((resolve) => server.listen(path, resolve));
  const shut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of passing) socket.destroy();
    });
  await open();
  onTestFinished(async () => {
    await shut();
    rmSync(dirname(path), { recursive: true });
  });
  return { address: `unix://${path}`, open, shut };
}

const leftovers = (folder: string): string =>
  docker("ps", "-aq", "--filter", `label=io.salvia.installation=${installationOf(folder)}`) +
  docker("network", "ls", "-q", "--filter", `label=io.salvia.installation=${installationOf(folder)}`);

if (hasImage)
  describeComputeBackend("the Docker backend", async () => {
    const { bench, backend, spec } = await setUp();
    const waits = `import os, time
while not os.path.exists("/opt/ml/end"): time.sleep(0.02)`;
    return {
      backend,
      task: (key) => ({ ...spec(python(waits)), key }),
      end: async (key) => {
        const root = join(bench.folder, "tasks", key, "root");
        await until("the root", () => existsSync(root));
        writeFileSync(join(root, "end"), "");
      },
    };
  });
else test.skip(title("the Docker backend keeps the compute contract"), () => undefined);

dockerTest(
  title("a container sees /opt/ml, its name, its argument and its environment, and leaves nothing behind"),
  async () => {
    const { bench, backend, spec } = await setUp();
    const look = `import json, os, socket, sys
print(sys.argv[1], socket.gethostname(), os.environ["MINE"], open("/opt/ml/input/config/hyperparameters.json").read())
print("eth0" in os.listdir("/sys/class/net"), os.environ.get("AWS_ENDPOINT_URL"))
open("/opt/ml/model/weights", "w").write("w" * 9)
print("last words", file=sys.stderr)`;
    const program = { ...python(look), arguments: [look, "train"] };
    await backend.start(
      spec(program, { environment: { MINE: "a = b" }, configFiles: { "hyperparameters.json": `{"k":"1"}` } }),
    );
    await bench.untilEnd();
    // The engine reads stdout and stderr by two pipes: which of them comes first is open.
    expect(bench.server.lines().toSorted()).toEqual(["True None", "last words", `train algo-1 a = b {"k":"1"}`]);
    expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0, modelFiles: ["weights"] });
    await backend.remove(bench.key);
    expect(leftovers(bench.folder)).toBe("");
  },
);

dockerTest(title("a container killed for its memory says so"), async () => {
  const { bench, backend, spec } = await setUp();
  const limits = { instanceType: "ml.m5.large", memoryBytes: 32 * 1024 * 1024, gpus: 0, neuronDevices: 0 };
  await backend.start(spec(python(`x = "x" * 200_000_000`, { limits })));
  await bench.untilEnd();
  expect(bench.server.end()).toMatchObject({
    exitCode: 137,
    failure: expect.stringContaining("use an instance type with more memory") as unknown,
  });
});

dockerTest(title("what cannot be run is told: no such image, no such program, no such device"), async () => {
  const endOf = async (program: ImageProgram) => {
    const { bench, backend, spec } = await setUp();
    await backend.start(spec(program));
    await bench.untilEnd();
    return bench.server.end();
  };
  expect(await endOf(python("", { image: "salvia-test/none:1", localNames: ["salvia-test/none:1"] }))).toMatchObject({
    how: "setup-failed",
    failure: expect.stringContaining("Cannot pull algorithm container") as unknown,
  });
  expect(await endOf(python("", { entrypoint: ["/no/such/program"] }))).toMatchObject({
    how: "setup-failed",
    failure: expect.stringMatching(/^CannotStartContainerError.*no such file/) as unknown,
  });
  const limits = { instanceType: "ml.p3.2xlarge", gpus: 1, neuronDevices: 0 };
  if (!existsSync("/dev/nvidia0"))
    expect(await endOf(python("", { limits }))).toMatchObject({
      how: "setup-failed",
      failure: expect.stringContaining("ml.p3.2xlarge has 1 GPU") as unknown,
    });
});

dockerTest(title("SIGTERM first, SIGKILL after the grace"), async () => {
  const polite = await setUp();
  const stubborn = await setUp();
  const waits = "print('up')\nwhile True: time.sleep(0.1)";
  await polite.backend.start(
    polite.spec(python(`import signal, time\nsignal.signal(15, lambda *_: exit(7))\n${waits}`)),
  );
  await stubborn.backend.start(
    stubborn.spec(python(`import signal, time\nsignal.signal(15, signal.SIG_IGN)\n${waits}`)),
  );
  await Promise.all([polite, stubborn].map(({ bench }) => bench.untilLine("up")));
  await Promise.all([polite, stubborn].map(({ bench, backend }) => backend.stop(bench.key, 1)));
  await Promise.all([polite, stubborn].map(({ bench }) => bench.untilEnd()));
  expect(polite.bench.server.end()).toMatchObject({ how: "stopped", exitCode: 7 });
  expect(stubborn.bench.server.end()).toMatchObject({ how: "stopped", signal: "SIGKILL" });
});

dockerTest(title("an agent that is killed again and again loses no line and doubles none"), async () => {
  const { bench, backend, spec } = await setUp();
  const counts = `import time
for n in range(400):
  print(n)
  time.sleep(0.005)`;
  await backend.start(spec(python(counts)));
  await bench.untilLine("0");
  for (let kills = 0; kills < 3; kills++)
    await until("an agent to kill", async () => {
      await backend.inspect(bench.key);
      return bench.killAgent();
    });
  await until("the end", async () => {
    await backend.inspect(bench.key);
    return bench.server.end() !== undefined;
  });
  expect(bench.server.lines()).toEqual(Array.from({ length: 400 }, (_, n) => String(n)));
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
});

dockerTest(title("instances find each other by name from the first moment, and nobody else"), async () => {
  const { bench, backend, spec } = await setUp();
  // Its server, since reports are numbered per task.
  const { bench: other } = await setUp();
  const talk = `import socket, sys, time
host = socket.gethostname()
other = {"algo-1": "algo-2", "algo-2": "algo-1"}[host]
print("resolved", bool(socket.gethostbyname(other)))
if host == "algo-1":
  with socket.create_server(("", 5000)) as server: print(server.accept()[0].recv(99).decode())
else:
  for _ in range(200):
    try:
      socket.create_connection((other, 5000)).send(b"hello from algo-2"); break
    except ConnectionRefusedError: time.sleep(0.05)`;
  const addresses = { "algo-1": "127.99.2.1", "algo-2": "127.99.2.2" };
  const second = bench.key.replace("algo-1", "algo-2");
  const task = (host: string, key: string): TaskSpec => ({
    ...spec(python(talk)),
    key,
    network: { host, addresses, isAlone: true },
    ...(host === "algo-2" && { server: other.spec("").server }),
  });
  await Promise.all([backend.start(task("algo-1", bench.key)), backend.start(task("algo-2", second))]);
  await bench.untilLine("hello from algo-2");
  await Promise.all([bench.untilEnd(), other.untilEnd()]);
  expect(bench.server.lines()).toEqual(["resolved True", "hello from algo-2"]);
  expect(other.server.lines()).toEqual(["resolved True"]);
  await backend.remove(second);
  await backend.remove(bench.key);
  expect(leftovers(bench.folder)).toBe("");
});

dockerTest(title("a container whose task folder is gone is listed, so that the sweeper removes it"), async () => {
  const { bench, backend } = await setUp();
  const labels = [
    "--label",
    `io.salvia.installation=${installationOf(bench.folder)}`,
    "--label",
    "io.salvia.task=left-algo-1",
  ];
  docker("run", "-d", ...labels, image, "sleep", "100");
  expect(await Array.fromAsync(backend.list())).toEqual(["left-algo-1"]);
  await backend.remove("left-algo-1");
  expect(leftovers(bench.folder)).toBe("");
});

dockerTest(
  title("an engine that is away for a while is waited for; what it takes along is lost, and not to be blamed"),
  async () => {
    const doors = [await door(), await door()] as const;
    const lasting = await setUp(doors[0].address);
    const taken = await setUp(doors[1].address);
    const counts = "import time\nfor n in range(60):\n  print(n); time.sleep(0.05)";
    for (const { backend, spec } of [lasting, taken]) await backend.start(spec(python(counts)));
    await Promise.all([lasting, taken].map(({ bench }) => bench.untilLine("1")));
    await Promise.all(doors.map((each) => each.shut()));
    docker("kill", `salvia-${taken.bench.key}`);
    await systemClock.sleep(500);
    expect([lasting, taken].map(({ bench }) => bench.server.end())).toEqual([undefined, undefined]);
    await Promise.all(doors.map((each) => each.open()));
    await Promise.all([lasting, taken].map(({ bench }) => bench.untilEnd()));
    expect(lasting.bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
    expect(lasting.bench.server.lines()).toEqual(Array.from({ length: 60 }, (_, n) => String(n)));
    expect(taken.bench.server.end()).toMatchObject({ how: "lost" });
  },
);

test("without an engine an image waits, and other programs run", async () => {
  const { bench, backend, spec } = await setUp("unix:///nowhere/docker.sock");
  expect(backend.features.has("images")).toBe(false);
  await expect(backend.start(spec(python("")))).rejects.toThrow("Waiting for the Docker Engine");
  await backend.start(bench.spec(`console.log("up")`));
  await bench.untilEnd();
  expect(bench.server.lines()).toEqual(["up"]);
  expect(readFileSync(bench.paths().task, "utf8")).toContain("node");
});
