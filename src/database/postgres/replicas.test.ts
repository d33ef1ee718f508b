// Two servers, real processes, on one Postgres database and one data folder: they share the work, and either takes over from
// the other. Runs on Postgres only (see vitest.config.ts).
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { readServerFile } from "../../lib/server-file.ts";
import { processKey, runSalvia, serveOn, type SalviaProcess } from "../../server-process.fake.ts";
import { freshDatabase, testServerUrl } from "../store.fake.ts";

const bucket = "shared";
const pause = (ms: number): Promise<void> => systemClock.sleep(ms);

function clientsOf(endpoint: string) {
  const options = { endpoint, region: "us-west-2", credentials: processKey, maxAttempts: 1 };
  const clients = {
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sagemaker: new SageMakerClient(options),
    logs: new CloudWatchLogsClient(options),
  };
  onTestFinished(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  return clients;
}

type Clients = ReturnType<typeof clientsOf>;

async function setup() {
  const serverUrl = testServerUrl();
  if (serverUrl === undefined) throw new Error("this suite runs with SALVIA_TEST_DATABASE=postgres");
  const database = await freshDatabase(serverUrl);
  const folder = mkdtempSync(join(tmpdir(), "salvia-replicas-"));
  // After the servers and what they left running are gone.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  const rows = new Pool({ connectionString: database, max: 1 });
  onTestFinished(() => rows.end());
  const serve = (): SalviaProcess => serveOn(folder, "--database", database, "--job-instances", "4");
  return { database, folder, rows, serve };
}

const job = (name: string) =>
  new CreateTrainingJobCommand({
    TrainingJobName: name,
    AlgorithmSpecification: {
      TrainingImage: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
      TrainingInputMode: "File",
    },
    RoleArn: "arn:aws:iam::000000000000:role/SalviaExecutionRole",
    HyperParameters: { k: "4", feature_dim: "8", mini_batch_size: "100", epochs: "40" },
    InputDataConfig: [
      {
        ChannelName: "train",
        ContentType: "text/csv;label_size=0",
        DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: `s3://${bucket}/rows/` } },
      },
    ],
    OutputDataConfig: { S3OutputPath: `s3://${bucket}/output` },
    ResourceConfig: { InstanceCount: 1, InstanceType: "ml.c5.xlarge", VolumeSizeInGB: 1 },
    StoppingCondition: { MaxRuntimeInSeconds: 600 },
  });

async function putRows({ s3 }: Clients): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const rows = Array.from({ length: 20_000 }, (_, at) =>
    Array.from({ length: 8 }, (_, column) => ((at * 31 + column * 17) % 101) / 101).join(","),
  );
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "rows/a.csv", Body: rows.join("\n") }));
}

async function untilEnded({ sagemaker }: Clients, name: string): Promise<string | undefined> {
  for (;;) {
    const { TrainingJobStatus: status } = await sagemaker.send(
      new DescribeTrainingJobCommand({ TrainingJobName: name }),
    );
    if (status !== "InProgress" && status !== "Stopping") return status;
    await pause(200);
  }
}

/** How often the program of a job began, by what it wrote to its log first. */
async function startsOf({ logs }: Clients, name: string): Promise<number> {
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: "/aws/sagemaker/TrainingJobs", logStreamNamePrefix: `${name}/` }),
  );
  return events.filter(({ message }) => message?.includes("reading configuration")).length;
}

test("when one of two servers is killed, the other takes over within ten seconds, and no job runs twice", async () => {
  const { folder, rows, serve } = await setup();
  const first = serve();
  const second = serve();
  const [atFirst, atSecond] = (await Promise.all([first.ready(), second.ready()])).map(clientsOf);
  if (!atFirst || !atSecond) throw new Error("two servers have two addresses");
  await putRows(atFirst);
  const names = Array.from({ length: 8 }, (_, at) => `job-${at}`);
  // Half of them asked for here and half there.
  await Promise.all(names.map((name, at) => (at % 2 === 0 ? atFirst : atSecond).sagemaker.send(job(name))));
  const isStarted = async (): Promise<boolean> => (await readdir(join(folder, "tasks"))).length >= 2;
  await expect.poll(isStarted, { timeout: 30_000, interval: 50 }).toBe(true);

  // The one that agents report to.
  const firstUrl = await first.ready();
  const [dead, alive] = readServerFile(folder)?.url === firstUrl ? [first, second] : [second, first];
  const survivor = dead === first ? atSecond : atFirst;
  await dead.kill("SIGKILL");
  const killedAtMs = systemClock.monotonicMs();

  const aliveUrl = await alive.ready();
  const servers = async () => (await rows.query<{ url: string }>("select url from servers")).rows.map(({ url }) => url);
  await expect.poll(servers, { timeout: 10_000, interval: 100 }).toEqual([aliveUrl]);
  expect(readServerFile(folder)?.url).toBe(aliveUrl);
  expect(systemClock.monotonicMs() - killedAtMs).toBeLessThan(10_000);

  expect(await Promise.all(names.map((name) => untilEnded(survivor, name)))).toEqual(names.map(() => "Completed"));
  expect(await Promise.all(names.map((name) => startsOf(survivor, name)))).toEqual(names.map(() => 1));
  const { rows: held } = await rows.query("select uid from resources where lease_token is not null");
  expect(held).toEqual([]);
}, 120_000);

test("servers that start together agree on keys and secrets, and one that stops leaves at once", async () => {
  const { database, rows, serve, folder } = await setup();
  const first = serve();
  const second = serve();
  await Promise.all([first.ready(), second.ready()]);
  const session = async (): Promise<unknown> => {
    const asked = runSalvia(["env", "--json", "--data", folder, "--database", database]);
    return JSON.parse((await asked.ended).stdout);
  };
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = (await session()) as Record<string, string>;
  const credentials = {
    accessKeyId: AWS_ACCESS_KEY_ID ?? "",
    secretAccessKey: AWS_SECRET_ACCESS_KEY ?? "",
    sessionToken: AWS_SESSION_TOKEN ?? "",
  };
  for (const server of [first, second]) {
    const endpoint = await server.ready();
    const s3 = new S3Client({ endpoint, region: "us-west-2", credentials, forcePathStyle: true, maxAttempts: 1 });
    await s3.send(new CreateBucketCommand({ Bucket: `of-${server.pid}` }));
    s3.destroy();
  }
  expect(await first.kill("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
  expect((await rows.query("select id from servers")).rows).toHaveLength(1);
});

test("a data folder keeps to its database", async () => {
  const { folder, serve, database } = await setup();
  await serve().ready();
  const held = await serveOn(folder).ended;
  expect(held.stderr).toMatch(/^Salvia did not start: the data folder .* is held by /);
  const other = await freshDatabase(testServerUrl() ?? "");
  const { code, stderr } = await serveOn(folder, "--database", other).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Salvia did not start: the data folder .* belongs to another Postgres database\. /);
  expect(stderr).not.toContain(new URL(database).password + "@");
});

test("a database that does not answer gives a sentence without its password", async () => {
  const { folder } = await setup();
  const { code, stderr } = await serveOn(folder, "--database", "postgres://me:sesame@127.0.0.1:1/none").ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Salvia did not start: the database cannot be opened: .*ECONNREFUSED/);
  expect(stderr).not.toContain("sesame");
});
