// `salvia coverage`: every operation of every service, and how far it goes. With --check FILE: is the committed table still true?
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createModels, type ServiceName } from "../models/index.ts";
import { handledOperations } from "../salvia.ts";
import { observed, storedOnly } from "../services/observed.ts";

type Level = "full" | "answers" | "stored only" | "not implemented";

interface Row {
  readonly service: ServiceName;
  readonly operation: string;
  readonly level: Level;
}

const levels: readonly Level[] = ["full", "answers", "stored only", "not implemented"];

async function rows(): Promise<Row[]> {
  const models = createModels();
  const handled = await handledOperations();
  return models.names.flatMap((service) =>
    [...models.serviceModel(service).operations.keys()].sort().map((operation) => ({
      service,
      operation,
      level: levelOf(service, operation, handled),
    })),
  );
}

function levelOf(service: ServiceName, operation: string, handled: ReadonlyMap<string, ReadonlySet<string>>): Level {
  if (!handled.get(service)?.has(operation)) return "not implemented";
  if (storedOnly[service]?.includes(operation)) return "stored only";
  return observed[service]?.includes(operation) ? "full" : "answers";
}

function table(all: readonly Row[]): string {
  const services = [...new Set(all.map((row) => row.service))];
  const of = (service: ServiceName, level: Level): Row[] =>
    all.filter((row) => row.service === service && row.level === level);
  const lines = [
    "# Coverage",
    "",
    "Made by `salvia coverage --write docs/coverage.md`. **full**: an acceptance test with a real client observed the effect.",
    "**answers**: it works and is tested, but not yet from outside. **stored only**: it keeps what it is given and does nothing",
    "with it yet. **not implemented**: NotImplementedException, HTTP 501, naming the operation.",
    "",
    `| service | operations | ${levels.join(" | ")} |`,
    `|---|---|${levels.map(() => "---|").join("")}`,
    ...services.map((service) => {
      const count = all.filter((row) => row.service === service).length;
      return `| ${service} | ${count} | ${levels.map((level) => of(service, level).length).join(" | ")} |`;
    }),
  ];
  for (const service of services) {
    lines.push("", `## ${service}`, "");
    for (const level of levels) {
      const names = of(service, level).map((row) => row.operation);
      if (names.length > 0) lines.push(`- **${level}** (${names.length}): ${names.join(", ")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

export async function coverage(args: readonly string[]): Promise<number> {
  const text = table(await rows());
  const [mode, file] = args;
  if (mode === undefined) {
    process.stdout.write(text);
    return 0;
  }
  if ((mode !== "--check" && mode !== "--write") || file === undefined) {
    process.stderr.write("usage: salvia coverage [--write FILE | --check FILE]\n");
    return 2;
  }
  if (mode === "--write") {
    writeFileSync(file, text);
    return 0;
  }
  if (existsSync(file) && readFileSync(file, "utf8") === text) return 0;
  process.stderr.write(`${file} is not what the code does now. Run: npm run salvia -- coverage --write ${file}\n`);
  return 1;
}
