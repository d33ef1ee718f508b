// Runs the load generator as a process of its own, so that it takes no time from the server under test.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { LoadResult } from "./load.ts";
import type { Target } from "./sign.ts";

export interface LoadRun {
  readonly target: Target;
  readonly requests: readonly Buffer[];
  /** From the start again until the time is up; else it ends with the last request. */
  readonly repeats: boolean;
  readonly connections: number;
  readonly seconds: number;
}

/** Throws where an answer was not 200. */
export function load({ target, requests, repeats, connections, seconds }: LoadRun): LoadResult {
  const { host, port } = target;
  const encoded = requests.map((request) => request.toString("base64"));
  const input = JSON.stringify({ host, port, connections, seconds, repeats, requests: encoded });
  const { stdout, status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "load.ts")], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`the load generator failed: ${stderr}`);
  const result = JSON.parse(stdout) as LoadResult;
  if (result.refused > 0) throw new Error(`${result.refused} of ${result.answered} requests were refused`);
  return result;
}
