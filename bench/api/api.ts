// DescribeModel and CreateModel beside moto_server: the same bytes, the same load generator, in turn.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peerPrograms } from "../python.ts";
import { signedRequest, type Target } from "../sign.ts";
import { median, type BenchRow } from "../table.ts";
import type { LoadResult } from "../load.ts";
import { startBenchServer } from "../server.ts";

const rounds = 5;
const seconds = 4;
const connections = 64;
const role = "arn:aws:iam::123456789012:role/x";
const model = (name: string, roleArn: string) => ({
  ModelName: name,
  ExecutionRoleArn: roleArn,
  PrimaryContainer: { Image: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1" },
});

function load(target: Target, requests: readonly Buffer[], repeats: boolean): LoadResult {
  const input = JSON.stringify({
    host: target.host,
    port: target.port,
    connections,
    seconds,
    repeats,
    requests: requests.map((request) => request.toString("base64")),
  });
  const { stdout, status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "..", "load.ts")], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`the load generator failed: ${stderr}`);
  const result = JSON.parse(stdout) as LoadResult;
  if (result.refused > 0) throw new Error(`${result.refused} of ${result.answered} requests were refused`);
  return result;
}

async function startMoto(): Promise<{ target: Target; process: ChildProcess }> {
  const programs = peerPrograms("moto", ["moto[server,sagemaker]==5.2.1"]);
  const port = 5_999;
  const child = spawn(join(programs, "moto_server"), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  for (let attempt = 0; attempt < 200; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (
      await fetch(`http://127.0.0.1:${port}/moto-api/`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
  }
  return {
    target: { host: "127.0.0.1", port, accessKeyId: "AKIAPEERPEERPEER0001", secretAccessKey: "peer" },
    process: child,
  };
}

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
      load(targets[who], [signedRequest(targets[who], "CreateModel", model("bench", roles[who]), new Date())], false);
    }
    for (let round = 0; round < rounds; round++) {
      for (const who of ["salvia", "moto"] as const) {
        const target = targets[who];
        const now = new Date();
        const describe = [signedRequest(target, "DescribeModel", { ModelName: "bench" }, now)];
        figures.describe[who].push(load(target, describe, true).perSecond);
        const count = who === "salvia" ? 60_000 : 4_000;
        const creates = Array.from({ length: count }, (_, at) =>
          signedRequest(target, "CreateModel", model(`m-${round}-${at}`, roles[who]), now),
        );
        figures.create[who].push(load(target, creates, false).perSecond);
      }
    }
  } finally {
    moto.process.kill("SIGKILL");
    await salvia.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const row = (what: string, ours: number[], peer: number[], goal: number): BenchRow => {
    const ratio = median(ours.map((value, at) => value / (peer[at] ?? Number.NaN)));
    return {
      what,
      ours: `${median(ours).toFixed(0)} /s`,
      peer: `${median(peer).toFixed(0)} /s (moto_server 5.2.1)`,
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
