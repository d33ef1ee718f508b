// Managed spot training on real processes: a worker that is really lost (its agent and its program die by signal 9), and a job whose time
// to wait runs out while nobody is there.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CreateTrainingJobRequest, DescribeTrainingJobResponse } from "@aws-sdk/client-sagemaker";
import { expect, test } from "vitest";
import { eventually, pause } from "./eventually.ts";
import { gateFunction } from "./gates.ts";
import { noPrograms, Struck, timeout, titled } from "./struck.ts";
import { described, modelOf, train, trained, trainingLogs, walkOf } from "./training.ts";

/** Ten steps an attempt, each saved; what comes after the thirtieth is the last. */
const stepping = `${gateFunction}
path = "/opt/ml/checkpoints/steps"
begun = int(open(path).read()) if os.path.exists(path) else 0
print("goes on from", begun)
for step in range(begun, begun + 10):
    with open(path + ".new", "w") as file: file.write(str(step + 1))
    os.replace(path + ".new", path)
    print("step", step)
if begun < 30: gate("saved")
open("/opt/ml/model/steps", "w").write(str(step + 1))
`;

/** Never ends by itself; SIGTERM lets it write its model. */
const endless = `${gateFunction}
import signal, sys
def told(*_):
    open("/opt/ml/model/told", "w").write("by SIGTERM")
    sys.exit(3)
signal.signal(signal.SIGTERM, told)
open("/opt/ml/checkpoints/begun", "w").write("begun")
gate("never")
`;

const discountPercent = 60;

/** Nothing is taken back but by the kills of the test. */
const startSpot = (): Promise<Struck> =>
  Struck.start((folder) => {
    const file = join(folder, "spot.json");
    writeFileSync(file, JSON.stringify({ discountPercent }));
    return ["--spot-interruptions", file];
  });

const spot = (struck: Struck, seconds: number): Partial<CreateTrainingJobRequest> => ({
  EnableManagedSpotTraining: true,
  StoppingCondition: { MaxRuntimeInSeconds: seconds, MaxWaitTimeInSeconds: seconds },
  CheckpointConfig: { S3Uri: struck.uri("saved") },
});

/** Seconds from the first byte of each attempt to its loss, or to the end of the last. */
function secondsOfAttempts({ SecondaryStatusTransitions: walk = [], TrainingEndTime }: DescribeTrainingJobResponse) {
  const at = (status: string): number[] =>
    walk.filter(({ Status }) => Status === status).map(({ StartTime }) => StartTime?.getTime() ?? Number.NaN);
  const ends = [...at("Interrupted"), TrainingEndTime?.getTime() ?? Number.NaN];
  return at("Downloading").map((start, attempt) => ((ends[attempt] ?? Number.NaN) - start) / 1_000);
}

function expectPaid(job: DescribeTrainingJobResponse): void {
  const { TrainingTimeInSeconds = 0, BillableTimeInSeconds = 0 } = job;
  const sum = secondsOfAttempts(job).reduce((total, seconds) => total + seconds, 0);
  expect(Math.abs(TrainingTimeInSeconds - sum)).toBeLessThanOrEqual(1);
  expect(Math.abs(BillableTimeInSeconds - sum * (1 - discountPercent / 100))).toBeLessThanOrEqual(1);
}

const losses: readonly { readonly of: string; readonly lose: (struck: Struck) => Promise<number> | number }[] = [
  { of: "agent and program", lose: (struck) => struck.kill("agent", "program") },
  { of: "all that runs on the worker", lose: (struck) => struck.kill("agent", "waiter", "program") },
  {
    of: "the worker and the server",
    lose: (struck) =>
      struck.strike("the server and all its agents", () => {
        expect(struck.kill("waiter", "program")).toBeGreaterThan(1);
      }),
  },
];

test.skipIf(noPrograms !== undefined)(
  titled("a spot job whose worker is lost shows Interrupted, goes on from its checkpoint, and pays for what ran"),
  { timeout },
  async () => {
    const struck = await startSpot();
    await train(struck, "spot", stepping, spot(struck, 600));
    let shown = 0;
    for (const [attempt, { of, lose }] of losses.entries()) {
      await struck.gates.reached("saved");
      const steps = String(10 * (attempt + 1));
      await eventually(`the checkpoint ${steps}`, async () =>
        (await struck.text("saved/steps")) === steps ? true : undefined,
      );
      expect(await lose(struck)).toBeGreaterThan(0);
      await eventually(
        `Interrupted after the loss of ${of}`,
        async () => {
          const job = await described(struck, "spot");
          if (job.SecondaryStatus === "Interrupted") shown++;
          return walkOf(job).filter((status) => status === "Interrupted").length > attempt ? true : undefined;
        },
        60_000,
        50,
      );
    }
    // For seconds each time, of which a client may miss some.
    expect(shown).toBeGreaterThan(0);
    const job = await trained(struck, "spot");
    expect(job.FailureReason).toBeUndefined();
    const attempt = ["Starting", "Downloading", "Training"];
    const lost = [...attempt, "Interrupted"];
    expect(walkOf(job)).toEqual([...lost, ...lost, ...lost, ...attempt, "Uploading", "Completed"]);
    const told = (await struck.lines(trainingLogs, "spot/")).filter((line) => /^(goes on|step)/.test(line));
    const ten = (from: number): string[] => Array.from({ length: 10 }, (_, at) => `step ${from + at}`);
    expect(told).toEqual([0, 10, 20, 30].flatMap((from) => [`goes on from ${from}`, ...ten(from)]));
    expect(await modelOf(struck, "spot")).toEqual({ steps: "40" });
    expectPaid(job);
    await struck.isClean();
  },
);

test.skipIf(noPrograms !== undefined)(
  titled("a spot job whose MaxWaitTimeInSeconds passes while nobody is there ends with what it had"),
  { timeout },
  async () => {
    const struck = await startSpot();
    // Afterwards the Python environment is there, which may take longer to make than the job may wait.
    await train(struck, "first", "print(1)");
    expect((await trained(struck, "first")).FailureReason).toBeUndefined();
    const seconds = 15;
    const began = Date.now();
    await train(struck, "waits", endless, spot(struck, seconds));
    await struck.gates.reached("never");
    // Its six instances do not fit beside the other.
    const tooMany = { InstanceCount: 6, InstanceType: "ml.m5.large", VolumeSizeInGB: 5 } as const;
    await train(struck, "never-ran", endless, { ...spot(struck, 1), ResourceConfig: tooMany });
    await struck.strike("the server and all its agents", async () => {
      while (Date.now() < began + seconds * 1_000) await pause(100);
    });
    const job = await trained(struck, "waits");
    expect([job.TrainingJobStatus, job.SecondaryStatus]).toEqual(["Stopped", "MaxWaitTimeExceeded"]);
    expect(walkOf(job).slice(0, 3)).toEqual(["Starting", "Downloading", "Training"]);
    expect(await modelOf(struck, "waits")).toEqual({ told: "by SIGTERM" });
    expect(await struck.text("saved/begun")).toBe("begun");
    expectPaid(job);
    const waited = await trained(struck, "never-ran");
    expect(walkOf(waited)).toEqual(["Starting", "MaxWaitTimeExceeded"]);
    expect(waited.TrainingTimeInSeconds).toBeUndefined();
    await struck.isClean();
  },
);
