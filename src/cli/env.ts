// `salvia env`: what a client needs to reach this installation. Prints shell lines, or JSON for programs.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { readServerFile } from "../lib/server-file.ts";
import { openIdentity } from "../salvia.ts";
import { takeSwitch, takeValue } from "./take-flags.ts";

export interface ClientKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Undefined for the root's keys. */
  readonly sessionToken: string | undefined;
}

/** How long a session of `salvia env` and `salvia exec` lives. */
export const sessionSeconds = 12 * 3_600;

/** The root's keys, or a session of SalviaExecutionRole. */
export async function clientKeys(config: Config, holder: "root" | "role", sessionName: string): Promise<ClientKeys> {
  const opened = await openIdentity(config);
  const { identity } = opened;
  try {
    if (holder === "root") {
      const root = await identity.rootCredentials(config.accountId);
      return { ...root, sessionToken: undefined };
    }
    const role = `arn:aws:iam::${config.accountId}:role/SalviaExecutionRole`;
    return await identity.sessionFor(role, sessionName, sessionSeconds);
  } finally {
    await opened.close();
  }
}

/** The variables of every AWS SDK; undefined: to be taken away, since a client with another session's token would be refused. */
export const keyVariables = (keys: ClientKeys): Record<string, string | undefined> => ({
  AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  AWS_SESSION_TOKEN: keys.sessionToken,
});

/** What to say where no Salvia was ever started on the data folder; undefined where one was. */
export function noSalviaYet(config: Config): string | undefined {
  if (config.database !== undefined || existsSync(join(config.dataFolder, "salvia.db"))) return undefined;
  return (
    `There is no Salvia in ${config.dataFolder} yet. Start one with \`salvia serve\` (from a checkout: \`npm start\`), ` +
    "or name the folder of yours with --data.\n"
  );
}

type Shell = "bash" | "fish" | "powershell";

const quotes: Readonly<Record<Shell, (value: string) => string>> = {
  bash: (value) => (/^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`),
  fish: (value) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  powershell: (value) => `'${value.replaceAll("'", "''")}'`,
};

const sets: Readonly<Record<Shell, (name: string, quoted: string) => string>> = {
  bash: (name, quoted) => `export ${name}=${quoted}`,
  fish: (name, quoted) => `set -gx ${name} ${quoted}`,
  powershell: (name, quoted) => `$Env:${name} = ${quoted}`,
};

const unsets: Readonly<Record<Shell, (name: string) => string>> = {
  bash: (name) => `unset ${name}`,
  fish: (name) => `set -e ${name}`,
  powershell: (name) => `Remove-Item -ErrorAction SilentlyContinue Env:${name}`,
};

/** Lines for the shell to evaluate; an undefined value takes the variable away. */
export function shellLines(shell: Shell, variables: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(variables)
    .map(([name, value]) => (value === undefined ? unsets[shell](name) : sets[shell](name, quotes[shell](value))))
    .map((line) => `${line}\n`)
    .join("");
}

interface Asked {
  readonly isRoot: boolean;
  readonly isJson: boolean;
  readonly shell: Shell;
  readonly region: string;
  readonly config: Config;
}

const usage = `salvia env [--root] [--json] [--shell bash|fish|powershell] [--region NAME] [--data FOLDER]

  bash, zsh    eval "$(salvia env)"
  fish         salvia env --shell fish | source
  PowerShell   salvia env --shell powershell | Out-String | Invoke-Expression
`;

const isShell = (text: string): text is Shell => Object.hasOwn(sets, text);

/** Throws ConfigError. */
function readArguments(args: readonly string[]): Asked {
  const rest = [...args];
  const isRoot = takeSwitch(rest, "--root");
  const isJson = takeSwitch(rest, "--json");
  const shell = takeValue(rest, "--shell") ?? (process.platform === "win32" ? "powershell" : "bash");
  const region = takeValue(rest, "--region") ?? "us-west-2";
  if (!isShell(shell)) throw new ConfigError(`--shell must be bash, fish or powershell, not "${shell}"`);
  return { isRoot, isJson, shell, region, config: readConfig(rest) };
}

export async function env(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  let asked: Asked;
  try {
    asked = readArguments(args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  const { config, isRoot, isJson, shell, region } = asked;
  const problem = noSalviaYet(config);
  if (problem !== undefined) {
    process.stderr.write(problem);
    return 1;
  }
  const variables = {
    AWS_ENDPOINT_URL: readServerFile(config.dataFolder)?.url ?? `http://127.0.0.1:${config.port}`,
    ...keyVariables(await clientKeys(config, isRoot ? "root" : "role", "salvia-env")),
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
  };
  // JSON leaves out what is undefined.
  process.stdout.write(isJson ? `${JSON.stringify(variables)}\n` : shellLines(shell, variables));
  return 0;
}
