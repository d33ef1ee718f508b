// `salvia agent FOLDER`: the data plane beside one task. Started by the process backend, never by people.
import { runAgent } from "../agent/agent.ts";
import { systemClock } from "../lib/clock.ts";
import { createLog, lineWriter } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";

export async function agent(args: readonly string[]): Promise<number> {
  const [folder] = args;
  if (folder === undefined) {
    process.stderr.write("usage: salvia agent FOLDER\n");
    return 2;
  }
  const log = createLog({
    clock: systemClock,
    level: "info",
    pretty: false,
    write: lineWriter(process.stderr),
  });
  return runAgent({ folder, clock: systemClock, random: systemRandom, log, environment: process.env });
}
