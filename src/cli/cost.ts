// `salvia cost`: what jobs and endpoints cost, what spot capacity saved, and which endpoints nobody asks. Reads the database, so that the
// server may run or not.
import { ConfigError, readConfig, type Config } from "../config.ts";
import { FolderProblemError } from "../data-folder.ts";
import { openCosts } from "../salvia.ts";
import { CostQueryError, readCostQuery, type CostAnswer, type CostQuery } from "../services/sagemaker/index.ts";
import { noSalviaYet } from "./env.ts";
import { takeSwitch, takeValue } from "./take-flags.ts";
import { textTable } from "./text-table.ts";

const usage = `usage: salvia cost [--from DAY] [--to DAY] [--by resource|kind|instance-type|day|tag:KEY] [--idle-hours N]
                   [--account ID] [--prices FILE] [--json] [--data FOLDER]

Costs of instances in US dollars, from the start of this month until now unless --from and --to say otherwise (UTC).
`;

const dollars = (amount: number): string => (amount > 0 && amount < 0.01 ? amount.toFixed(5) : amount.toFixed(2));

const table = (rows: readonly (readonly string[])[]): string =>
  textTable(rows, (column) => column === 0)
    .map((line) => `${line}\n`)
    .join("");

function rowOf(name: string, row: CostAnswer["total"]): string[] {
  const cost = row.unpriced.length > 0 && row.cost === 0 ? "no price" : dollars(row.cost);
  const note = [...(row.isRunning ? ["running"] : []), ...row.unpriced.map((type) => `no price for ${type}`)];
  return [name, row.instanceHours.toFixed(row.instanceHours < 1 ? 4 : 2), cost, dollars(row.saved), note.join(", ")];
}

export function costText(answer: CostAnswer): string {
  const head = [answer.by, "instance hours", "USD", "saved by spot", ""];
  const rows = answer.rows.map((row) => rowOf(row.key, row));
  const when = `From ${answer.from} to ${answer.to}\n\n`;
  const costs =
    rows.length === 0 ? "No instance ran in this time.\n" : table([head, ...rows, rowOf("total", answer.total)]);
  if (answer.idle.length === 0) return `${when}${costs}`;
  const idle = answer.idle.map(({ name, instances, instanceTypes, idleHours, costPerHour }) => [
    name,
    `${instances} × ${instanceTypes.join(", ")}`,
    idleHours.toFixed(1),
    costPerHour === undefined ? "no price" : dollars(costPerHour),
  ]);
  const ends = answer.idle.map(
    ({ name, region }) => `aws sagemaker delete-endpoint --region ${region} --endpoint-name ${name}\n`,
  );
  const title = "\nEndpoints in service that nobody asks:\n\n";
  return `${when}${costs}${title}${table([["endpoint", "instances", "idle hours", "USD per hour"], ...idle])}\nTo end one:\n${ends.join("")}`;
}

interface Asked {
  readonly config: Config;
  readonly account: string;
  readonly isJson: boolean;
  readonly query: (now: Date) => CostQuery;
}

function read(args: readonly string[]): Asked {
  const rest = [...args];
  const query = new URLSearchParams();
  for (const name of ["from", "to", "by", "idle-hours"]) {
    const value = takeValue(rest, `--${name}`);
    if (value !== undefined) query.set(name, value);
  }
  const account = takeValue(rest, "--account");
  const isJson = takeSwitch(rest, "--json");
  const config = readConfig(rest);
  return { config, account: account ?? config.accountId, isJson, query: (now) => readCostQuery(query, now) };
}

export async function cost(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const { config, account, isJson, query } = read(args);
    const problem = noSalviaYet(config);
    if (problem !== undefined) throw new ConfigError(problem.trim());
    const costs = await openCosts(config);
    try {
      const answer = await costs.answer(account, query);
      process.stdout.write(isJson ? `${JSON.stringify(answer, null, 2)}\n` : costText(answer));
      return 0;
    } finally {
      await costs.close();
    }
  } catch (error) {
    const isKnown =
      error instanceof ConfigError || error instanceof CostQueryError || error instanceof FolderProblemError;
    if (!isKnown) throw error;
    process.stderr.write(`salvia cost: ${error.message}\n`);
    return 2;
  }
}
