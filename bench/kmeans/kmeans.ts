// k-means beside scikit-learn on the same rows: a Lloyd pass with each kernel, and the whole job from spawn to model.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { decodeModel } from "../../src/algorithms/kmeans/kmeans-model.ts";
import { optimiseWasm } from "../../src/kernels/optimise-wasm.ts";
import { peerPrograms } from "../python.ts";
import { type BenchRow, median } from "../table.ts";
import { createLloydBench, type Passes } from "./lloyd-passes.ts";
import { densityOfRows, generateRows, k, width, writeRecordIoFile } from "./rows.ts";

const rowCount = 60_000;
const passes = 15;
const passRounds = 5;
const jobRounds = 5;
const batchSize = 5_000;
const folder = join(import.meta.dirname, "..", "..", ".cache", "bench", "kmeans-data");
const launcher = join(import.meta.dirname, "..", "..", "bin", "salvia.js");
const peerProgram = join(import.meta.dirname, "peer.py");
const rowsFile = join(folder, "rows.f32");
const jobRoot = join(folder, "ml");
const recordFile = join(jobRoot, "input", "data", "train", "rows.pbr");

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const relative = (a: number, b: number): number => Math.abs(a - b) / b;

function prepare(): Float32Array {
  mkdirSync(join(jobRoot, "input", "config"), { recursive: true });
  mkdirSync(join(jobRoot, "input", "data", "train"), { recursive: true });
  const config = (name: string, value: object): void =>
    writeFileSync(join(jobRoot, "input", "config", name), JSON.stringify(value));
  config("hyperparameters.json", { k: String(k), feature_dim: String(width), mini_batch_size: String(batchSize) });
  config("inputdataconfig.json", { train: { TrainingInputMode: "File" } });
  config("resourceconfig.json", { current_host: "algo-1", hosts: ["algo-1"] });
  const rows = generateRows(rowCount);
  process.stdout.write(`  ${rowCount} rows, ${(densityOfRows(rows) * 100).toFixed(1)} % not zero\n`);
  if (!existsSync(rowsFile)) writeFileSync(rowsFile, bytesOf(rows));
  if (!existsSync(recordFile)) writeRecordIoFile(recordFile, rows);
  return rows;
}

interface Peer {
  run(): Promise<Passes>;
  stop(): void;
}

async function startPeer(python: string, centresFile: string): Promise<Peer> {
  const args = [peerProgram, "passes", rowsFile, centresFile, String(k), String(width), String(passes)];
  const child = spawn(python, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    async run() {
      child.stdin.write("go\n");
      const [msPerPass = NaN, inertia = NaN] = String((await lines.next()).value)
        .split(" ")
        .map(Number);
      return { msPerPass, inertia };
    },
    stop: () => child.stdin.end(),
  };
}

async function benchPasses(rows: Float32Array, python: string): Promise<BenchRow[]> {
  const centres = Float32Array.from(rows.subarray(0, k * width));
  const centresFile = join(folder, "centres.f32");
  writeFileSync(centresFile, bytesOf(centres));
  const peer = await startPeer(python, centresFile);
  const dense = await createLloydBench(rows, width, centres, false);
  const sparse = await createLloydBench(rows, width, centres, true);
  const rounds: { readonly peer: Passes; readonly dense: Passes; readonly sparse: Passes }[] = [];
  for (let round = 0; round < passRounds; round++) {
    const both = { dense: await dense.run(passes), sparse: await sparse.run(passes) };
    rounds.push({ ...both, peer: await peer.run() });
  }
  [dense, sparse, peer].forEach((side) => ("close" in side ? side.close() : side.stop()));
  const peerMs = median(rounds.map((round) => round.peer.msPerPass));
  const row = (what: string, side: "dense" | "sparse", goal: number): BenchRow => {
    const ratio = median(rounds.map((round) => round[side].msPerPass / round.peer.msPerPass));
    const apart = Math.max(...rounds.map((round) => relative(round[side].inertia, round.peer.inertia)));
    return {
      what: `${what} (inertia within ${apart.toExponential(0)})`,
      ours: ms(median(rounds.map((round) => round[side].msPerPass))),
      peer: `${ms(peerMs)} (scikit-learn, dense)`,
      ratio: `${ratio.toFixed(2)}×`,
      goal: `≤ ${goal}×`,
      isMet: ratio <= goal && apart < 1e-3,
    };
  };
  return [row("Lloyd pass, dense kernel", "dense", 1.5), row("Lloyd pass, automatic kernel", "sparse", 0.6)];
}

function timed(program: string, args: readonly string[]): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - started;
}

async function msdOf(rows: Float32Array, centres: Float32Array): Promise<number> {
  const bench = await createLloydBench(rows, width, centres, true);
  const { inertia } = await bench.run(0);
  bench.close();
  return inertia / rowCount;
}

async function benchJob(rows: Float32Array, python: string): Promise<BenchRow> {
  const modelFile = join(jobRoot, "model", "model_algo-1");
  const peerModel = join(folder, "peer.npy");
  const ours: number[] = [];
  const peers: number[] = [];
  for (let round = 0; round < jobRounds; round++) {
    ours.push(timed(process.execPath, [launcher, "algorithm", "kmeans", "train", "--root", jobRoot]));
    peers.push(timed(python, [peerProgram, "job", rowsFile, peerModel, String(k), String(width), String(batchSize)]));
  }
  const peerBytes = new Uint8Array(readFileSync(peerModel)).slice(-4 * k * width);
  const ourMsd = await msdOf(rows, decodeModel(readFileSync(modelFile), modelFile).values);
  const peerMsd = await msdOf(rows, new Float32Array(peerBytes.buffer));
  const ratio = median(ours.map((time, round) => time / (peers[round] ?? NaN)));
  return {
    what: `whole job, spawn to model (msd ${ourMsd.toFixed(2)} beside ${peerMsd.toFixed(2)})`,
    ours: ms(median(ours)),
    peer: `${ms(median(peers))} (MiniBatchKMeans from raw float32)`,
    ratio: `${ratio.toFixed(2)}×`,
    goal: "≤ 0.7×",
    isMet: ratio <= 0.7,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  optimiseWasm();
  const python = join(peerPrograms("scikit-learn", ["scikit-learn==1.9.1", "numpy"]), "python");
  const rows = prepare();
  const job = await benchJob(rows, python);
  return [...(await benchPasses(rows, python)), job];
}
