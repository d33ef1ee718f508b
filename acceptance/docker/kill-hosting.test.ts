// kill -9 of the server while containers host a model: the endpoint goes on answering from the containers that it had, one per instance,
// and its deletion leaves none.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteEndpointCommand,
  DescribeEndpointCommand,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand } from "@aws-sdk/client-sagemaker-runtime";
import { expect, onTestFinished, test } from "vitest";
import { installationOf } from "../../src/compute/docker/docker-backend.ts";
import { killNow, processesOf } from "../kill/processes.ts";
import { Victim } from "../kill/victim.ts";

const image = "salvia-test/python:3";
const hosted = "salvia-test/reversed";
const docker = (...words: string[]) => spawnSync("docker", words, { encoding: "utf8", timeout: 30_000 });
const hasImage = docker("image", "inspect", image).status === 0;
const title = (text: string): string =>
  hasImage ? text : `${text} (skipped: no Docker Engine answers here, or it lacks ${image})`;

const instances = 2;
const name = "reversed";
type Clients = ReturnType<Victim["clients"]>;

const program = `
import http.server, os, signal
# An exception would be lost where the signal comes during a destructor.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
class Model(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.answer(200 if self.path == "/ping" else 404, b"")
    def do_POST(self): self.answer(200, self.rfile.read(int(self.headers["content-length"]))[::-1])
    def answer(self, status, body):
        self.send_response(status); self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("", 8080), Model).serve_forever()
`;

function buildImage(): void {
  const input = `FROM ${image}\nENTRYPOINT ["python3", "-uc", ${JSON.stringify(program)}]\n`;
  const { status, stderr } = spawnSync("docker", ["build", "-q", "-t", hosted, "-"], { input, encoding: "utf8" });
  expect(status, stderr).toBe(0);
}

async function createEndpoint({ sagemaker }: Clients): Promise<void> {
  await sagemaker.send(
    new CreateModelCommand({
      ModelName: name,
      ExecutionRoleArn: "arn:aws:iam::000000000000:role/SalviaExecutionRole",
      PrimaryContainer: { Image: hosted },
    }),
  );
  const variant = { InitialInstanceCount: instances, InstanceType: "ml.t2.medium", InitialVariantWeight: 1 } as const;
  await sagemaker.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: name,
      ProductionVariants: [{ VariantName: "all", ModelName: name, ...variant }],
    }),
  );
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
}

const stateOf = async ({ sagemaker }: Clients): Promise<string | undefined> =>
  (await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }))).EndpointStatus;

async function answerOf({ runtime }: Clients): Promise<string> {
  const input = { EndpointName: name, ContentType: "text/plain", Body: Buffer.from("olleh") };
  return Buffer.from((await runtime.send(new InvokeEndpointCommand(input))).Body).toString();
}

/** As many as reach both instances: the one with the fewest requests is asked, in turn. */
const answersOf = (clients: Clients): Promise<string[]> =>
  Promise.all(Array.from({ length: 8 }, () => answerOf(clients)));

const eightTimes = Array.from({ length: 8 }, () => "hello");

test.skipIf(!hasImage)(
  title("an endpoint of containers answers after every kill -9, from one container per instance, and leaves none"),
  { timeout: 240_000 },
  async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), "salvia-docker-kill-"));
    const label = `label=io.salvia.installation=${installationOf(dataFolder)}`;
    const containers = (): string[] => docker("ps", "-aq", "--filter", label).stdout.split("\n").filter(Boolean).sort();
    const networks = (): string => docker("network", "ls", "-q", "--filter", label).stdout.trim();
    const victim = await Victim.on(dataFolder);
    onTestFinished(async () => {
      await victim.stop();
      for (const { pid } of processesOf(dataFolder)) killNow(pid);
      for (const id of containers()) docker("rm", "-f", id);
      docker("rmi", "-f", hosted);
      rmSync(dataFolder, { recursive: true, force: true });
    });
    buildImage();
    await victim.start();
    const clients = victim.clients();
    const restart = async (): Promise<void> => {
      await victim.kill();
      await victim.start();
    };

    // While it is being created.
    await createEndpoint(clients);
    await restart();
    await expect.poll(() => stateOf(clients), { timeout: 40_000, interval: 100 }).not.toBe("Creating");
    expect(await stateOf(clients)).toBe("InService");
    expect(await answersOf(clients)).toEqual(eightTimes);
    const first = containers();
    expect(first).toHaveLength(instances);

    // The server alone; then with its agents.
    for (const withAgents of [false, true]) {
      await victim.kill();
      for (const { pid, kind } of processesOf(dataFolder)) if (withAgents && kind === "agent") killNow(pid);
      await victim.start();
      await expect.poll(() => answersOf(clients), { timeout: 20_000, interval: 100 }).toEqual(eightTimes);
      expect(await stateOf(clients)).toBe("InService");
      expect(containers()).toEqual(first);
    }

    // A container that dies while nobody looks is replaced, and the other one stays.
    await victim.kill();
    const [dead = "", alive = ""] = first;
    docker("kill", dead);
    await victim.start();
    const isReplaced = (): boolean => {
      const now = containers();
      return now.length === instances && now.includes(alive) && !now.includes(dead);
    };
    await expect.poll(isReplaced, { timeout: 30_000, interval: 200 }).toBe(true);
    await expect.poll(() => answersOf(clients).catch(String), { timeout: 20_000, interval: 200 }).toEqual(eightTimes);

    // While it is being deleted.
    await clients.sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }));
    await restart();
    // A container whose agent was killed between the order to stop and the signal has its whole grace of 30 s.
    await expect
      .poll(() => stateOf(clients).catch(String), { timeout: 90_000, interval: 200 })
      .toMatch(/Could not find/);
    await expect.poll(() => [containers(), networks()], { timeout: 20_000, interval: 200 }).toEqual([[], ""]);
  },
);
