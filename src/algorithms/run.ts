// The two programs of the container contract, as the command line calls them: `salvia algorithm NAME train|serve`.
import { optimiseWasm } from "../kernels/optimise-wasm.ts";
import type { Clock } from "../lib/clock.ts";
import { failureText } from "./client-error.ts";
import { algorithms } from "./index.ts";
import { createJobLog } from "./job-log.ts";
import { serve } from "./serving-program.ts";
import { train } from "./training-program.ts";

export interface RunOptions {
  /** Default: /opt/ml. */
  readonly root?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly clock: Clock;
  /** Default: SIGTERM and SIGINT of this process. */
  readonly stop?: AbortSignal;
}

/** Asked once, the program ends in good order; asked again, SIGTERM kills it as usual. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

/**
 * Runs a built-in algorithm to its end and resolves to the exit code. `train` ends with the training; `serve` ends
 * when asked to stop. Throws RangeError for an unknown algorithm.
 */
export async function runAlgorithm(name: string, program: "train" | "serve", options: RunOptions): Promise<number> {
  const algorithm = algorithms.find((each) => each.name === name);
  if (!algorithm)
    throw new RangeError(`no algorithm '${name}'; there are: ${algorithms.map((each) => each.name).join(", ")}`);
  const { root = "/opt/ml", environment, clock, stop = stopOnSignals() } = options;
  const write = (text: string): void => void options.stdout.write(text);
  if (program === "train") optimiseWasm();
  if (program === "train") return train({ algorithm, root, environment, clock, stop, write });
  const log = createJobLog(clock, environment["CURRENT_HOST"] ?? "algo-1", write);
  try {
    await serve({ algorithm, root, environment, log, stop });
    return 0;
  } catch (error) {
    log.error(failureText(error));
    return 1;
  }
}
