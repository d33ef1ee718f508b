// Starts Salvia the way a person would, and hands out what a client needs.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { join } from "node:path";

const launcher = join(import.meta.dirname, "..", "..", "bin", "salvia.js");

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

/** Resolves once the server answers; rejects with what it said when it does not start. */
export async function startServer(dataFolder: string, isKept: boolean, port: number): Promise<Server> {
  const args = [
    "serve",
    "--data",
    dataFolder,
    "--port",
    String(port),
    "--log-level",
    "warn",
    ...(isKept ? [] : ["--stop-tasks"]),
  ];
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: isKept,
  });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      const found = /Salvia is ready at (\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Salvia did not start (exit code ${code}).\n${said}`)));
  });
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
