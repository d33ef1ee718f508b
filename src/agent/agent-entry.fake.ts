// Starts an agent as the CLI does, for tests that kill it: `node agent-entry.fake.ts agent FOLDER`.
import { systemClock } from "../lib/clock.ts";
import { createLog, lineWriter } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import { runAgent } from "./agent.ts";

const log = createLog({
  clock: systemClock,
  level: "info",
  pretty: false,
  write: lineWriter(process.stderr),
});
process.exitCode = await runAgent({ folder: process.argv[3] ?? "", clock: systemClock, random: systemRandom, log });
