// `salvia doctor`: what this machine can run, and the settings in force.
import { existsSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { ConfigError, readConfig, settings } from "../config.ts";
import { probeNamespaces } from "../lib/probe-namespaces.ts";
import { readServerFile } from "../lib/server-file.ts";

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

async function serverLine(dataFolder: string): Promise<string> {
  const file = readServerFile(dataFolder);
  if (!file) return existsSync(join(dataFolder, "salvia.db")) ? "not running" : "never started on this folder";
  const isUp = await fetch(`${file.url}/health`, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.ok,
    () => false,
  );
  return isUp ? `answers at ${file.url} (process ${file.pid})` : `not running (last at ${file.url})`;
}

function shown(name: string, value: string | number | boolean | readonly string[] | undefined): string {
  if (value === undefined) return name === "database" ? "(SQLite in the data folder)" : "(made at first start)";
  if (/secret|^database$/i.test(name)) return "********";
  return typeof value === "object" ? value.join(", ") : String(value);
}

export async function doctor(args: readonly string[]): Promise<number> {
  let config;
  try {
    config = readConfig(args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  const walls = probeNamespaces();
  const facts: readonly (readonly [string, string])[] = [
    ["Node", `${process.versions.node} (${process.platform} ${process.arch})`],
    ["machine", `${availableParallelism()} cores, ${gigabytes(totalmem())} memory, ${gigabytes(freemem())} free`],
    ["server", await serverLine(config.dataFolder)],
    [
      "walls around jobs",
      walls.works
        ? `yes: namespaces by ${walls.bwrap}`
        : `no: ${walls.reason}. Jobs run as your user and see your files; install bubblewrap on Linux to wall them off`,
    ],
  ];
  for (const [name, value] of facts) process.stdout.write(`${name.padEnd(20)}${value}\n`);
  process.stdout.write("\nsettings in force\n");
  for (const [name, { flag }] of Object.entries(settings)) {
    const value = config[name as keyof typeof config];
    process.stdout.write(`  --${flag.padEnd(26)}${shown(name, value)}\n`);
  }
  return 0;
}
