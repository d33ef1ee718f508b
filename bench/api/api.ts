// DescribeModel and CreateModel beside moto_server: the same bytes, the same load generator, in turn.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "../load-process.ts";
import { motoName, startMoto } from "../moto.ts";
import { startBenchServer } from "../server.ts";
import { signedRequest } from "../sign.ts";
import { median, type BenchRow } from "../table.ts";

const rounds = 5;
const seconds = 4;
const connections = 64;
const role = "arn:aws:iam::123456789012:role/x";
const model = (name: string, roleArn: string) => ({
  ModelName: name,
  ExecutionRoleArn: roleArn,
  PrimaryContainer: { Image: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1" },
});

export async function run(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-bench-"));
  const salvia = await startBenchServer(folder);
  const moto = await startMoto();
  const roles = { salvia: "arn:aws:iam::000000000000:role/SalviaExecutionRole", moto: role };
  const figures = {
    describe: { salvia: [] as number[], moto: [] as number[] },
    create: { salvia: [] as number[], moto: [] as number[] },
  };
  try {
    const targets = { salvia: salvia.target, moto: moto.target };
    for (const who of ["salvia", "moto"] as const) {
      const first = signedRequest(targets[who], "CreateModel", model("bench", roles[who]), new Date());
      load({ target: targets[who], requests: [first], repeats: false, connections: 1, seconds });
    }
    for (let round = 0; round < rounds; round++) {
      for (const who of ["salvia", "moto"] as const) {
        const target = targets[who];
        const now = new Date();
        const describe = [signedRequest(target, "DescribeModel", { ModelName: "bench" }, now)];
        figures.describe[who].push(load({ target, requests: describe, repeats: true, connections, seconds }).perSecond);
        const count = who === "salvia" ? 60_000 : 4_000;
        const creates = Array.from({ length: count }, (_, at) =>
          signedRequest(target, "CreateModel", model(`m-${round}-${at}`, roles[who]), now),
        );
        figures.create[who].push(load({ target, requests: creates, repeats: false, connections, seconds }).perSecond);
      }
    }
  } finally {
    moto.stop();
    await salvia.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const row = (what: string, ours: number[], peer: number[], goal: number): BenchRow => {
    const ratio = median(ours.map((value, at) => value / (peer[at] ?? Number.NaN)));
    return {
      what,
      ours: `${median(ours).toFixed(0)} /s`,
      peer: `${median(peer).toFixed(0)} /s (${motoName})`,
      ratio: `${ratio.toFixed(1)}×`,
      goal: `≥ ${goal}×`,
      isMet: ratio >= goal,
    };
  };
  return [
    row(`DescribeModel, ${connections} connections`, figures.describe.salvia, figures.describe.moto, 30),
    row(`CreateModel, ${connections} connections`, figures.create.salvia, figures.create.moto, 15),
  ];
}
