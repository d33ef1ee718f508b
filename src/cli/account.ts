// `salvia account create NAME` and `salvia account list`. They write to the database as the server does, so that it may run or not:
// a running server knows the account with its next request.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { probeNamespaces } from "../lib/probe-namespaces.ts";
import { readServerFile } from "../lib/server-file.ts";
import { openIdentity } from "../salvia.ts";

const usage = "usage: salvia account create NAME [--data FOLDER]\n       salvia account list [--data FOLDER]\n";

const fails = (message: string, code: number): number => {
  process.stderr.write(message);
  return code;
};

async function create(config: Config, name: string): Promise<number> {
  const walls = probeNamespaces();
  if (!walls.works && !config.trustsJobs) {
    return fails(
      `Jobs cannot be walled off here (${walls.reason}), so one account's jobs could read another's data. ` +
        "Install bubblewrap, or accept the risk with --trust-jobs.\n",
      1,
    );
  }
  const opened = await openIdentity(config);
  const { identity } = opened;
  try {
    const id = await identity.createAccount(name);
    const root = await identity.rootCredentials(id);
    const url = readServerFile(config.dataFolder)?.url ?? `http://127.0.0.1:${config.port}`;
    process.stdout.write(
      [
        `# account ${id} (${name})`,
        `export AWS_ENDPOINT_URL=${url}`,
        `export AWS_ACCESS_KEY_ID=${root.accessKeyId}`,
        `export AWS_SECRET_ACCESS_KEY=${root.secretAccessKey}`,
        "export AWS_DEFAULT_REGION=us-west-2",
        "export AWS_REGION=us-west-2",
        "unset AWS_SESSION_TOKEN",
        "",
      ].join("\n"),
    );
    return 0;
  } finally {
    await opened.close();
  }
}

async function list(config: Config): Promise<number> {
  const opened = await openIdentity(config);
  const { identity } = opened;
  try {
    for (const { id, name } of [{ id: config.accountId, name: "the first" }, ...(await identity.accounts())]) {
      process.stdout.write(`${id}  ${name}\n`);
    }
    return 0;
  } finally {
    await opened.close();
  }
}

export async function account(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command !== "create" && command !== "list") return fails(usage, 2);
  const [name, ...flags] = command === "create" ? rest : ["", ...rest];
  if (name === undefined || name.startsWith("--") || name.includes("\n")) return fails(usage, 2);
  try {
    const config = readConfig(flags);
    if (config.database === undefined && !existsSync(join(config.dataFolder, "salvia.db"))) {
      return fails(`There is no Salvia in ${config.dataFolder} yet. Start one, or name its folder with --data.\n`, 1);
    }
    return await (command === "create" ? create(config, name) : list(config));
  } catch (error) {
    if (error instanceof ConfigError) return fails(`${error.message}\n`, 2);
    throw error;
  }
}
