// Real `salvia` processes for tests: started on a folder, killed or stopped, and read to their end.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

// The sources, not the launcher: it would take a bundle that may be older than what is tested.
const entry = join(dirname(fileURLToPath(import.meta.url)), "main.ts");

export const processKey = {
  accessKeyId: "AKIAEXAMPLE000000000",
  secretAccessKey: "a-secret-of-forty-characters-000000000000",
};

export interface EndedProcess {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SalviaProcess {
  readonly pid: number;
  readonly ended: Promise<EndedProcess>;
  kill(signal: NodeJS.Signals): Promise<EndedProcess>;
  /** Of a server: resolves with its URL once it answers. Rejects when it ends before. */
  ready(): Promise<string>;
}

/** Nothing of this process's own settings, and no compile cache of others. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  SALVIA_ROOT_ACCESS_KEY_ID: processKey.accessKeyId,
  SALVIA_ROOT_SECRET_ACCESS_KEY: processKey.secretAccessKey,
  SALVIA_LOG_LEVEL: "error",
});

export interface RunOptions {
  readonly variables?: NodeJS.ProcessEnv;
  /** Run as this user, group of the same number; only root may ask. */
  readonly uid?: number;
}

/** True where that user may read what it would run. */
export const canRunAs = (uid: number): boolean =>
  spawnSync(process.execPath, [entry, "help"], { uid, gid: uid, env: {} }).status === 0;

/** A command of Salvia in a process of its own, which ends with the test. */
export function runSalvia(args: readonly string[], { variables = {}, uid }: RunOptions = {}): SalviaProcess {
  const child = spawn(process.execPath, [entry, ...args], {
    env: { ...environment(), ...variables },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const output = collect(child);
  const ended = once(child, "close").then(([code]): EndedProcess => ({ code: code as number | null, ...output }));
  const kill = (signal: NodeJS.Signals): Promise<EndedProcess> => {
    child.kill(signal);
    return ended;
  };
  onTestFinished(async () => {
    await kill("SIGKILL");
  });
  return { pid: child.pid ?? -1, ended, kill, ready: () => Promise.race([urlOf(child, output), endedEarly(ended)]) };
}

interface Output {
  stdout: string;
  stderr: string;
}

function collect({ stdout, stderr }: ChildProcess): Output {
  const output = { stdout: "", stderr: "" };
  stdout?.on("data", (chunk: Buffer) => void (output.stdout += chunk.toString()));
  stderr?.on("data", (chunk: Buffer) => void (output.stderr += chunk.toString()));
  return output;
}

async function urlOf({ stdout }: ChildProcess, output: Output): Promise<string> {
  for (;;) {
    const url = /^Salvia is ready at (\S+)$/m.exec(output.stdout)?.[1];
    if (url !== undefined) return url;
    if (stdout) await once(stdout, "data");
  }
}

async function endedEarly(ended: Promise<EndedProcess>): Promise<never> {
  const { code, stderr } = await ended;
  throw new Error(`salvia ended with ${code}: ${stderr}`);
}

/** `salvia serve` on the folder, on a free port. */
export const serveOn = (dataFolder: string, ...flags: readonly string[]): SalviaProcess =>
  runSalvia(["serve", "--data", dataFolder, "--port", "0", ...flags]);
