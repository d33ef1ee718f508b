// Runs a program to its end and keeps what it said.
import { spawn } from "node:child_process";

export interface Ended {
  /** Null: it could not be started, or was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A suite that hangs has failed. */
const limitMs = 480_000;

/** Never blocks: a test runner that goes unanswered for a minute gives up. A program that is not there ends with null. */
export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    // Not spawn's own timeout, which would keep this process when the program is not there.
    const signal = AbortSignal.timeout(limitMs);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env, signal });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => resolve({ status: null, stdout, stderr: error.message }));
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}
