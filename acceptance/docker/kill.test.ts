// A container does not notice that Salvia dies: kill -9 of the server and of its agent in the middle of a job, and it ends as it should,
// started once, with every line once.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateTrainingJobCommand, DescribeTrainingJobCommand } from "@aws-sdk/client-sagemaker";
import { expect, onTestFinished, test } from "vitest";
import { installationOf } from "../../src/compute/docker/docker-backend.ts";
import { killNow, processesOf } from "../kill/processes.ts";
import { Victim } from "../kill/victim.ts";

const image = "salvia-test/python:3";
const docker = (...words: string[]) => spawnSync("docker", words, { encoding: "utf8", timeout: 30_000 });
const hasImage = docker("image", "inspect", image).status === 0;
const title = (text: string): string =>
  hasImage ? text : `${text} (skipped: no Docker Engine answers here, or it lacks ${image})`;

const linesWanted = 150;
const program = `import time; [print("line", n) or time.sleep(0.02) for n in range(${linesWanted})]`;

type Clients = ReturnType<Victim["clients"]>;

async function linesOf({ logs }: Clients): Promise<string[]> {
  const wanted = { logGroupName: "/aws/sagemaker/TrainingJobs", logStreamNamePrefix: "job/" };
  try {
    const { events = [] } = await logs.send(new FilterLogEventsCommand(wanted));
    return events.map(({ message = "" }) => message);
  } catch {
    return []; // No line has come yet.
  }
}

const startJob = ({ sagemaker }: Clients) =>
  sagemaker.send(
    new CreateTrainingJobCommand({
      TrainingJobName: "job",
      AlgorithmSpecification: {
        TrainingImage: image,
        TrainingInputMode: "File",
        ContainerEntrypoint: ["python3", "-uc", program],
      },
      RoleArn: "arn:aws:iam::000000000000:role/SalviaExecutionRole",
      OutputDataConfig: { S3OutputPath: "s3://docker-kill-test/output" },
      ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 1 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
    }),
  );

test.skipIf(!hasImage)(
  title("a container lives through kill -9 of server and agent, and is told of once"),
  { timeout: 90_000 },
  async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), "salvia-docker-kill-"));
    const installation = installationOf(dataFolder);
    const victim = await Victim.on(dataFolder);
    onTestFinished(async () => {
      await victim.stop();
      for (const { pid } of processesOf(dataFolder)) killNow(pid);
      rmSync(dataFolder, { recursive: true, force: true });
    });
    await victim.start();
    const clients = victim.clients();
    await clients.s3.send(new CreateBucketCommand({ Bucket: "docker-kill-test" }));
    await startJob(clients);
    await expect.poll(() => linesOf(clients), { timeout: 20_000, interval: 50 }).toContain("line 5");
    await victim.kill();
    for (const { pid, kind } of processesOf(dataFolder)) if (kind === "agent") killNow(pid);
    await victim.start();
    const state = async () =>
      (await clients.sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "job" }))).TrainingJobStatus;
    await expect.poll(state, { timeout: 30_000, interval: 100 }).not.toBe("InProgress");
    expect(await state()).toBe("Completed");
    expect(await linesOf(clients)).toEqual(Array.from({ length: linesWanted }, (_, n) => `line ${n}`));
    const left = () => docker("ps", "-aq", "--filter", `label=io.salvia.installation=${installation}`).stdout.trim();
    await expect.poll(left, { timeout: 20_000, interval: 200 }).toBe("");
  },
);
