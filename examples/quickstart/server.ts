// Starts Salvia the way a person would, and hands out what a client needs.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

const launcher = join(import.meta.dirname, "..", "..", "bin", "salvia.js");

async function readyUrl(child: ChildProcess, logFile: string): Promise<string> {
  let problem: string | undefined;
  child.once("error", (error) => (problem = error.message));
  child.once("exit", (code) => (problem = `it ended with exit code ${code}`));
  for (;;) {
    const said = readFileSync(logFile, "utf8");
    const found = /Salvia is ready at (\S+)/.exec(said)?.[1];
    if (found !== undefined) return found;
    if (problem !== undefined) throw new Error(`Salvia did not start: ${problem}.\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface Server {
  readonly url: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
  readonly process: ChildProcess;
  /** Ends the server and whatever it still runs. */
  stop(): Promise<void>;
}

/** Resolves once the server answers; rejects with what it said when it does not start. It writes to server.log beside its data. */
export async function startServer(
  dataFolder: string,
  isKept: boolean,
  port: number,
  flags: readonly string[] = [],
): Promise<Server> {
  mkdirSync(dataFolder, { recursive: true });
  // A file and not a pipe: a server that is kept outlives whoever reads the pipe.
  const logFile = join(dataFolder, "server.log");
  const output = openSync(logFile, "a");
  const stopsTasks = isKept ? [] : ["--stop-tasks"];
  const args = ["serve", "--data", dataFolder, "--port", String(port), "--log-level", "warn", ...stopsTasks, ...flags];
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ["ignore", output, output], detached: isKept });
  closeSync(output);
  const url = await readyUrl(child, logFile);
  const env = spawnSync(process.execPath, [launcher, "env", "--json", "--data", dataFolder], { encoding: "utf8" });
  if (env.status !== 0) throw new Error(`\`salvia env\` failed: ${env.stderr}`);
  const variables = JSON.parse(env.stdout) as Record<string, string>;
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  };
  return {
    url,
    credentials: {
      accessKeyId: variables["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: variables["AWS_SECRET_ACCESS_KEY"] ?? "",
      sessionToken: variables["AWS_SESSION_TOKEN"] ?? "",
    },
    process: child,
    stop,
  };
}
