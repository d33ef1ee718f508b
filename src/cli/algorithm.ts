// `salvia algorithm NAME train|serve [--root DIR]`: a built-in algorithm behind the container contract.
import { runAlgorithm } from "../algorithms/run.ts";
import { systemClock } from "../lib/clock.ts";

export async function algorithm(args: readonly string[]): Promise<number> {
  const [name, command, ...rest] = args;
  const rootAt = rest.indexOf("--root");
  const root = rootAt >= 0 ? rest[rootAt + 1] : "/opt/ml";
  if (name === undefined || (command !== "train" && command !== "serve") || root === undefined) {
    process.stderr.write("usage: salvia algorithm NAME train|serve [--root DIR]\n");
    return 2;
  }
  return runAlgorithm(name, command, {
    root,
    environment: process.env,
    stdout: process.stdout,
    clock: systemClock,
  });
}
