// Whole images, pushed and pulled by docker: the same image to Salvia and to the reference registry (CNCF distribution, Debian's
// `docker-registry`). Docker packs and unpacks the layers itself, for both.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../src/lib/free-port.ts";
import { startBenchServer } from "../server.ts";
import { median, type BenchRow } from "../table.ts";
import { signedCall } from "./signed-call.ts";

const rounds = 5;
const layers = 4;
const layerBytes = 50_000_000;
const megabytes = (layers * layerBytes) / 1_000_000;

/** Seconds that docker took. Throws when it failed. */
function docker(words: readonly string[], input?: string): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync("docker", words, { encoding: "utf8", timeout: 300_000, input });
  if (status !== 0) throw new Error(`docker ${words.join(" ")}: ${stderr.slice(-2_000)}`);
  return (performance.now() - startedAt) / 1_000;
}

/** Layers that neither registry has. */
function build(folder: string, tags: readonly string[]): void {
  const context = join(folder, "context");
  mkdirSync(context, { recursive: true });
  const lines = ["FROM scratch"];
  for (let at = 0; at < layers; at++) {
    writeFileSync(join(context, `layer-${at}`), randomBytes(layerBytes));
    lines.push(`COPY layer-${at} /`);
  }
  writeFileSync(join(context, "Dockerfile"), lines.join("\n"));
  docker(["build", "--quiet", ...tags.flatMap((tag) => ["--tag", tag]), context]);
}

interface Peer {
  readonly host: string;
  readonly process: ChildProcess;
}

async function startPeer(folder: string): Promise<Peer> {
  const port = await freePort("127.0.0.1");
  const config = join(folder, "registry.yml");
  const lines = [
    "version: 0.1",
    "log: {level: error}",
    `storage: {filesystem: {rootdirectory: ${join(folder, "peer")}}}`,
    `http: {addr: "127.0.0.1:${port}"}`,
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  for (let tries = 0; tries < 100; tries++) {
    const answers = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return { host: `localhost:${port}`, process: child };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error("docker-registry does not answer");
}

interface Seconds {
  readonly ours: number[];
  readonly peer: number[];
}

function row(what: string, { ours, peer }: Seconds, goal: number): BenchRow {
  const ratio = median(peer.map((value, at) => value / (ours[at] ?? Number.NaN)));
  return {
    what: `${what} an image of ${megabytes} MB in ${layers} layers, with docker`,
    ours: `${median(ours).toFixed(2)} s`,
    peer: `${median(peer).toFixed(2)} s (docker-registry 2.8)`,
    ratio: `${ratio.toFixed(2)}×`,
    goal: `≥ ${goal}×`,
    isMet: ratio >= goal,
  };
}

/** A string says why there are none. */
export async function benchImages(): Promise<readonly BenchRow[] | string> {
  if (spawnSync("docker", ["version"]).status !== 0) return "no Docker Engine answers";
  if (spawnSync("docker-registry", ["--version"]).status !== 0)
    return "there is no registry to compare with (apt-get install docker-registry)";
  const folder = mkdtempSync(join(tmpdir(), "salvia-bench-images-"));
  const salvia = await startBenchServer(join(folder, "salvia"));
  const { host: peerHost, process: peerProcess } = await startPeer(folder);
  const ownHost = `localhost:${new URL(salvia.url).port}`;
  const pushed: Seconds = { ours: [], peer: [] };
  const pulled: Seconds = { ours: [], peer: [] };
  try {
    await signedCall(salvia.target, "CreateRepository", { repositoryName: "images" });
    const answer = await signedCall(salvia.target, "GetAuthorizationToken", {});
    const token = Buffer.from(/"authorizationToken": ?"([^"]+)"/.exec(answer)?.[1] ?? "", "base64").toString();
    docker(["login", "--username", "AWS", "--password-stdin", ownHost], token.slice("AWS:".length));
    for (let round = 0; round < rounds; round++) {
      const [own, others] = [`${ownHost}/images:${round}`, `${peerHost}/images:${round}`];
      build(folder, [own, others]);
      pushed.peer.push(docker(["push", "--quiet", others]));
      pushed.ours.push(docker(["push", "--quiet", own]));
      docker(["rmi", "--force", own, others]);
      pulled.peer.push(docker(["pull", "--quiet", others]));
      docker(["rmi", "--force", others]);
      pulled.ours.push(docker(["pull", "--quiet", own]));
      docker(["rmi", "--force", own]);
    }
    return [row("push", pushed, 0.8), row("pull", pulled, 0.8)];
  } finally {
    peerProcess.kill("SIGKILL");
    spawnSync("docker", ["logout", ownHost]);
    await salvia.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
