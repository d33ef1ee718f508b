// Nothing is lost: kill -9 of the server, agents, tasks, and all three, at random instants under load. The ledger of what was
// acknowledged is kept here, outside; processes are found in /proc and start markers in the jobs' own logs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  DeleteEndpointCommand,
  DescribeEndpointCommand,
  DescribeTrainingJobCommand,
  type DescribeTrainingJobResponse,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand } from "@aws-sdk/client-sagemaker-runtime";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { expect, onTestFinished, test } from "vitest";
import { seededRandom, type Random } from "../../src/lib/random.ts";
import { probeNamespaces } from "../../src/lib/probe-namespaces.ts";
import { eventually, pause } from "./eventually.ts";
import { Ledger } from "./ledger.ts";
import { nothingLeft } from "./nothing-left.ts";
import { killNow, processesOf } from "./processes.ts";
import { Victim } from "./victim.ts";

const kills = Number(process.env["SALVIA_TEST_KILLS"] ?? 100);
const seed = Number(process.env["SALVIA_TEST_SEED"] ?? 20_261_123);
const bucket = "kill-test";
const image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";
const role = "arn:aws:iam::000000000000:role/SalviaExecutionRole";

type Clients = ReturnType<Victim["clients"]>;
type Target = "server" | "agent" | "task" | "all";

const ranks = ["Starting", "Downloading", "Training", "Uploading", "Stopping", "Completed", "Failed", "Stopped"];

/** What a client sees of a job must only ever move forward. */
class Watcher {
  readonly #seen = new Map<string, number>();
  readonly problems: string[] = [];

  saw(name: string, job: DescribeTrainingJobResponse): void {
    const rank = ranks.indexOf(job.SecondaryStatus ?? "");
    const before = this.#seen.get(name) ?? 0;
    if (rank < before) this.problems.push(`${name} went from ${ranks[before]} back to ${job.SecondaryStatus}`);
    this.#seen.set(name, Math.max(rank, before));
  }
}

function csv(rows: number, random: Random): Buffer {
  const lines = Array.from({ length: rows }, () =>
    Array.from({ length: 16 }, () => random.fraction().toFixed(4)).join(","),
  );
  return Buffer.from(lines.join("\n"));
}

const trainingJob = (name: string, epochs: number) =>
  new CreateTrainingJobCommand({
    TrainingJobName: name,
    AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
    RoleArn: role,
    HyperParameters: { k: "4", feature_dim: "16", mini_batch_size: "100", epochs: String(epochs) },
    InputDataConfig: [
      {
        ChannelName: "train",
        ContentType: "text/csv;label_size=0",
        DataSource: {
          S3DataSource: {
            S3DataType: "S3Prefix",
            S3Uri: `s3://${bucket}/rows/`,
            S3DataDistributionType: "ShardedByS3Key",
          },
        },
      },
    ],
    OutputDataConfig: { S3OutputPath: `s3://${bucket}/output` },
    ResourceConfig: { InstanceCount: 2, InstanceType: "ml.c5.xlarge", VolumeSizeInGB: 1 },
    StoppingCondition: { MaxRuntimeInSeconds: 600 },
  });

/** Creates models, overwrites objects and starts jobs without a pause, and writes down what was acknowledged. */
class Load {
  readonly ledger = new Ledger();
  readonly #clients: Clients;
  readonly #random: Random;
  readonly #ending = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(clients: Clients, random: Random) {
    this.#clients = clients;
    this.#random = random;
  }

  start(watcher: Watcher): void {
    this.#loops = Promise.all([this.#models(), this.#objects(), this.#jobs(), this.#watch(watcher)]);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#loops;
  }

  /** A request that was not acknowledged promises nothing, so its failure is only waited out. */
  async #repeat(everyMs: number, work: (at: number) => Promise<void>): Promise<void> {
    for (let at = 0; !this.#ending.signal.aborted; at++) {
      await work(at).catch(() => pause(50));
      await pause(everyMs);
    }
  }

  #models(): Promise<void> {
    return this.#repeat(15, async (at) => {
      const ModelName = `model-${at}`;
      await this.#clients.sagemaker.send(
        new CreateModelCommand({ ModelName, ExecutionRoleArn: role, PrimaryContainer: { Image: image } }),
      );
      this.ledger.models.push(ModelName);
    });
  }

  #objects(): Promise<void> {
    return this.#repeat(10, async () => {
      const key = `objects/${Math.floor(this.#random.fraction() * 200)}`;
      const body = this.#random.bytes(Math.floor(this.#random.fraction() * 20_000));
      this.ledger.attempt(key, body);
      await this.#clients.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
      this.ledger.acknowledge(key, body);
    });
  }

  #jobs(): Promise<void> {
    return this.#repeat(1_500, async (at) => {
      const name = `kill-${at}`;
      await this.#clients.sagemaker.send(trainingJob(name, 20 + Math.floor(this.#random.fraction() * 400)));
      this.ledger.jobs.push(name);
    });
  }

  #watch(watcher: Watcher): Promise<void> {
    return this.#repeat(100, async () => {
      for (const name of this.ledger.jobs.slice(-4)) {
        watcher.saw(
          name,
          await this.#clients.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name })),
        );
      }
    });
  }
}

interface Counts {
  server: number;
  agent: number;
  program: number;
}

/** One strike: which processes died of it. */
async function strike(victim: Victim, target: Target, random: Random, counts: Counts): Promise<void> {
  const alive = processesOf(victim.dataFolder);
  const pick = (kind: "agent" | "program"): void => {
    const ofKind = alive.filter((found) => found.kind === kind);
    const chosen = ofKind[Math.floor(random.fraction() * ofKind.length)];
    if (chosen && killNow(chosen.pid)) counts[kind]++;
  };
  if (target === "agent" || target === "all") pick("agent");
  if (target === "task" || target === "all") pick("program");
  if (target === "server" || target === "all") {
    await victim.kill();
    counts.server++;
    await victim.start();
  }
}

async function serve(clients: Clients, name: string, modelData: string): Promise<void> {
  const { sagemaker } = clients;
  await sagemaker.send(
    new CreateModelCommand({
      ModelName: name,
      ExecutionRoleArn: role,
      PrimaryContainer: { Image: image, ModelDataUrl: modelData },
    }),
  );
  const variant = {
    VariantName: "AllTraffic",
    ModelName: name,
    InitialInstanceCount: 1,
    InstanceType: "ml.m5.large" as const,
  };
  await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }));
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
}

const ended = (clients: Clients, name: string): Promise<DescribeTrainingJobResponse> =>
  eventually(`${name} to end`, async () => {
    const job = await clients.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
    return job.TrainingJobStatus === "InProgress" || job.TrainingJobStatus === "Stopping" ? undefined : job;
  });

/** How often each instance of the job started its program, by the line that the program writes first. */
async function startsPerInstance(clients: Clients, name: string): Promise<Map<string, number>> {
  const starts = new Map<string, number>();
  let nextToken: string | undefined;
  do {
    const page = await clients.logs.send(
      new FilterLogEventsCommand({
        logGroupName: "/aws/sagemaker/TrainingJobs",
        logStreamNamePrefix: `${name}/`,
        nextToken,
      }),
    );
    for (const event of page.events ?? []) {
      const instance = /\/(algo-\d+)/.exec(event.logStreamName ?? "")?.[1] ?? "?";
      if (event.message?.includes("reading configuration")) starts.set(instance, (starts.get(instance) ?? 0) + 1);
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return starts;
}

/** Waits for every job and says how they ended, and which of them ended wrongly or were started twice. */
async function judgeJobs(
  clients: Clients,
  names: readonly string[],
): Promise<{ ends: Record<string, number>; wrong: string[] }> {
  const ends: Record<string, number> = {};
  const wrong: string[] = [];
  for (const name of names) {
    const job = await ended(clients, name);
    const end = job.TrainingJobStatus ?? "?";
    ends[end] = (ends[end] ?? 0) + 1;
    if (end === "Failed" && !/^(AlgorithmError|InternalServerError)/.test(job.FailureReason ?? "")) {
      wrong.push(`${name} failed for another reason than its kill: ${job.FailureReason}`);
    }
    const starts = [...(await startsPerInstance(clients, name)).values()];
    const isRight = end === "Completed" ? starts.join() === "1,1" : starts.every((count) => count === 1);
    if (!isRight) wrong.push(`${name} (${end}) started ${starts.join(" and ")} times`);
  }
  return { ends, wrong };
}

const invoke = (clients: Clients, name: string) =>
  eventually(`${name} to answer`, async () => {
    const Body = Array.from({ length: 16 }, () => "0.5").join(",");
    return clients.runtime.send(new InvokeEndpointCommand({ EndpointName: name, ContentType: "text/csv", Body }));
  });

const walls = probeNamespaces();
const reason = walls.works ? undefined : `namespaces do not work here: ${walls.reason}`;

test.skipIf(reason !== undefined)(
  `after ${kills} kills nothing acknowledged is missing, every job ended right and started once, and nothing is left behind${reason ? ` (skipped: ${reason})` : ""}`,
  { timeout: 900_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "salvia-kill-"));
    const dataFolder = join(folder, "data");
    const victim = await Victim.on(dataFolder);
    onTestFinished(async () => {
      await victim.kill();
      for (const { pid } of processesOf(dataFolder)) killNow(pid);
      rmSync(folder, { recursive: true, force: true });
    });
    await victim.start();
    const clients = victim.clients();
    const random = seededRandom(seed);

    await clients.s3.send(
      new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: "us-west-2" } }),
    );
    for (const part of [0, 1]) {
      await clients.s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: `rows/part-${part}.csv`, Body: csv(2_000, random) }),
      );
    }
    await clients.sagemaker.send(trainingJob("first", 5));
    const first = await ended(clients, "first");
    expect(first.FailureReason).toBeUndefined();
    await serve(clients, "serving", first.ModelArtifacts?.S3ModelArtifacts ?? "");
    await invoke(clients, "serving");

    const load = new Load(clients, random);
    const watcher = new Watcher();
    load.start(watcher);
    const counts: Counts = { server: 0, agent: 0, program: 0 };
    const targets: readonly Target[] = ["server", "agent", "server", "agent", "task", "server", "agent", "all"];
    for (let at = 0; counts.server + counts.agent + counts.program < kills; at++) {
      await pause(random.fraction() * 900);
      await strike(victim, targets[at % targets.length] ?? "server", random, counts);
    }
    await load.stop();

    const { ends, wrong } = await judgeJobs(clients, load.ledger.jobs);
    expect(wrong).toEqual([]);
    expect(watcher.problems).toEqual([]);
    expect(await load.ledger.missing(clients, bucket)).toEqual([]);

    await invoke(clients, "serving");
    const endpoint = await clients.sagemaker.send(new DescribeEndpointCommand({ EndpointName: "serving" }));
    expect(endpoint.EndpointStatus).toBe("InService");
    await clients.sagemaker.send(new DeleteEndpointCommand({ EndpointName: "serving" }));
    await nothingLeft(dataFolder);
    await victim.stop();
    expect(processesOf(dataFolder)).toEqual([]);
    const slowest = Math.max(...victim.startTimes);
    process.stdout.write(
      `kills: ${counts.server} server, ${counts.agent} agent, ${counts.program} task (seed ${seed}); ledger: ${load.ledger.size} entries, ` +
        `${load.ledger.jobs.length} jobs ${JSON.stringify(ends)}; slowest start ${slowest.toFixed(0)} ms\n`,
    );
    // Jobs that nobody struck must exist, or the test says nothing about them.
    expect(ends["Completed"] ?? 0).toBeGreaterThan(0);
  },
);
