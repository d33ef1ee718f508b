// `salvia env`: what a client needs to reach this installation. Prints shell lines, or JSON for programs.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { readServerFile } from "../lib/server-file.ts";
import { openIdentity } from "../salvia.ts";

export interface ClientVariables {
  readonly AWS_ENDPOINT_URL: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_SESSION_TOKEN?: string;
  readonly AWS_DEFAULT_REGION: string;
  readonly AWS_REGION: string;
}

const sessionSeconds = 12 * 3_600;

async function variablesOf(config: Config, isRoot: boolean, region: string): Promise<ClientVariables> {
  const url = readServerFile(config.dataFolder)?.url ?? `http://127.0.0.1:${config.port}`;
  const opened = await openIdentity(config);
  const { identity } = opened;
  try {
    const shared = { AWS_DEFAULT_REGION: region, AWS_REGION: region };
    if (isRoot) {
      const root = await identity.rootCredentials(config.accountId);
      return {
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: root.accessKeyId,
        AWS_SECRET_ACCESS_KEY: root.secretAccessKey,
        ...shared,
      };
    }
    const role = `arn:aws:iam::${config.accountId}:role/SalviaExecutionRole`;
    const session = await identity.sessionFor(role, "salvia-env", sessionSeconds);
    return {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken,
      ...shared,
    };
  } finally {
    await opened.close();
  }
}

export async function env(args: readonly string[]): Promise<number> {
  const isRoot = args.includes("--root");
  const isJson = args.includes("--json");
  const regionAt = args.indexOf("--region");
  const region = regionAt >= 0 ? (args[regionAt + 1] ?? "us-west-2") : "us-west-2";
  const rest = args.filter(
    (arg, at) => !["--root", "--json", "--region"].includes(arg) && (regionAt < 0 || at !== regionAt + 1),
  );
  let config: Config;
  try {
    config = readConfig(rest);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (config.database === undefined && !existsSync(join(config.dataFolder, "salvia.db"))) {
    process.stderr.write(
      `There is no Salvia in ${config.dataFolder} yet. Start one with \`salvia serve\` (from a checkout: \`npm start\`), ` +
        "or name the folder of yours with --data.\n",
    );
    return 1;
  }
  const variables = await variablesOf(config, isRoot, region);
  if (isJson) process.stdout.write(`${JSON.stringify(variables)}\n`);
  else for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}=${value}\n`);
  // A client that still has another session's token would be refused.
  if (isRoot && !isJson) process.stdout.write("unset AWS_SESSION_TOKEN\n");
  return 0;
}
