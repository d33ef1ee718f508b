// A model's archive of 1 GB, packed as the agent packs it, beside `tar | pigz`. Half of it weights (32-bit floats around zero), a
// quarter packed already (noise), a quarter text.
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { listForPacking, packEntries } from "../../src/agent/tar/pack-folder.ts";
import { median, type BenchRow } from "../table.ts";

const rounds = 3;
const files = 40;
const fileBytes = 25_000_000;
const what = "model.tar.gz of 1 GB";

/** Standard deviation 0.03, as a layer starts. */
function weights(): Buffer {
  const noise = new Uint16Array(new Uint8Array(randomBytes(fileBytes * 2)).buffer);
  const found = new Float32Array(fileBytes / 4);
  for (let at = 0; at < found.length; at++) {
    let sum = 0;
    for (let term = 0; term < 4; term++) sum += noise[at * 4 + term] ?? 0;
    found[at] = (sum / 65_536 - 2) * 0.05;
  }
  return Buffer.from(found.buffer);
}

/** A vocabulary: a JSON line per word. */
function vocabulary(): Buffer {
  const lines: string[] = [];
  for (let bytes = 0, index = 0; bytes < fileBytes; index++) {
    const line = `{"id": ${index}, "piece": "${randomBytes(6).toString("base64")}", "score": ${-Math.log(index + 1)}}\n`;
    bytes += line.length;
    lines.push(line);
  }
  return Buffer.from(lines.join(""));
}

function writeModel(folder: string): void {
  mkdirSync(folder);
  for (let index = 0; index < files; index++) {
    const bytes = index % 4 < 2 ? weights() : index % 4 === 2 ? randomBytes(fileBytes) : vocabulary();
    writeFileSync(join(folder, `part-${index}`), bytes);
  }
}

const secondsOf = async (action: () => Promise<void>): Promise<number> => {
  const startedAt = performance.now();
  await action();
  return (performance.now() - startedAt) / 1_000;
};

async function ownArchive(model: string, base: string): Promise<void> {
  const { entries } = await listForPacking(model, base);
  await pipeline(packEntries(entries), createWriteStream(join(base, "own.tar.gz")));
}

const peerArchive = (model: string, base: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const command = `tar -C "$0" -cf - . | pigz > "$1"`;
    const child = spawn("/bin/sh", ["-c", command, model, join(base, "peer.tar.gz")], { stdio: "inherit" });
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`tar | pigz ended with ${code}`))));
  });

export async function run(): Promise<readonly BenchRow[]> {
  if (spawnSync("pigz", ["--version"]).status !== 0)
    return [
      {
        what,
        ours: "",
        peer: "skipped: there is no pigz (apt-get install pigz)",
        ratio: "",
        goal: "≥ 1×",
        isMet: undefined,
      },
    ];
  const base = mkdtempSync(join(tmpdir(), "salvia-bench-archive-"));
  try {
    const model = join(base, "model");
    writeModel(model);
    const own: number[] = [];
    const peer: number[] = [];
    for (let round = 0; round < rounds; round++) {
      own.push(await secondsOf(() => ownArchive(model, base)));
      peer.push(await secondsOf(() => peerArchive(model, base)));
    }
    const megabytes = (name: string): string => `${(statSync(join(base, name)).size / 1e6).toFixed(0)} MB`;
    const ratio = median(peer) / median(own);
    return [
      {
        what,
        ours: `${median(own).toFixed(1)} s, ${megabytes("own.tar.gz")}`,
        peer: `${median(peer).toFixed(1)} s, ${megabytes("peer.tar.gz")} (tar | pigz)`,
        ratio: `${ratio.toFixed(2)}×`,
        goal: "≥ 1×",
        isMet: ratio >= 1,
      },
    ];
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
