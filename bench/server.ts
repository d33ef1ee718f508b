// A Salvia for a bench: fresh process, given keys, free port.
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Target } from "./sign.ts";

const launcher = join(import.meta.dirname, "..", "bin", "salvia.js");
const key = { accessKeyId: "AKIABENCHBENCHROOT01", secretAccessKey: "bench-root-secret-00001" };

export interface BenchServer {
  readonly target: Target;
  readonly url: string;
  /** ms from spawn to the line that says it is ready. */
  readonly readyMs: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startBenchServer(dataFolder: string): Promise<BenchServer> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [launcher, "serve", "--port", "0", "--data", dataFolder, "--log-level", "warn", "--stop-tasks"],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        SALVIA_ROOT_ACCESS_KEY_ID: key.accessKeyId,
        SALVIA_ROOT_SECRET_ACCESS_KEY: key.secretAccessKey,
      },
    },
  );
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      const found = /Salvia is ready at (\S+)/.exec(chunk.toString())?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`Salvia ended with ${code}`)));
  });
  const readyMs = performance.now() - startedAt;
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  };
  const { hostname, port } = new URL(url);
  return { target: { host: hostname, port: Number(port), ...key }, url, readyMs, pid: child.pid ?? 0, stop };
}
