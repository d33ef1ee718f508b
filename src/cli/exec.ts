// `salvia exec -- COMMAND…`: runs a command whose AWS traffic, hard-coded hosts included, reaches Salvia. docs/exec.md is the guide.
import { spawn } from "node:child_process";
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { FolderHeldError, FolderProblemError } from "../data-folder.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { readServerFile } from "../lib/server-file.ts";
import { openAuthority } from "../proxy/authority.ts";
import { awsHosts } from "../proxy/aws-hosts.ts";
import { credentialsPath, startExecProxy, type ExecProxy } from "../proxy/exec-proxy.ts";
import { outward, ParentProxyError, type Outward } from "../proxy/outward.ts";
import { trustBundle } from "../proxy/trust-bundle.ts";
import { startSalvia } from "../salvia.ts";
import { clientKeys, keyVariables, noSalviaYet, sessionSeconds } from "./env.ts";
import { execEnvironment, type Variables } from "./exec-environment.ts";
import { follow } from "./follow.ts";
import { takeSwitch, takeValue } from "./take-flags.ts";

const usage = `salvia exec [flags] -- COMMAND…

Runs the command so that everything it asks of AWS is asked of Salvia, with a session of SalviaExecutionRole (12 hours).

  --serve                 start a server for the time of the command where none runs on the data folder
  --region NAME           AWS_REGION and AWS_DEFAULT_REGION where they are unset (default: us-west-2)
  --refresh               hand out credentials that clients renew, for commands of more than 12 hours
  --no-endpoint-url       leave AWS_ENDPOINT_URL unset: every client calls AWS's own names, through the proxy
  --pass HOST,…           AWS hosts that go to the real network; .NAME covers what is below it
  --data FOLDER           the data folder of the server, and every other flag of \`salvia serve\`

docs/exec.md says what the command finds in its environment.
`;

interface Asked {
  readonly config: Config;
  readonly command: readonly [string, ...string[]];
  readonly region: string;
  readonly serves: boolean;
  readonly refreshes: boolean;
  readonly hasEndpointUrl: boolean;
  readonly passed: readonly string[];
}

/** Says in words why the command could not be started. */
class ExecProblem extends Error {}

/** Throws ConfigError. */
function readArguments(args: readonly string[]): Asked {
  const dashes = args.indexOf("--");
  const [program, ...rest] = dashes < 0 ? [] : args.slice(dashes + 1);
  if (program === undefined)
    throw new ConfigError("salvia exec needs `--` and the command behind it: salvia exec -- python train.py");
  const flags = args.slice(0, dashes);
  return {
    command: [program, ...rest],
    region: takeValue(flags, "--region") ?? "us-west-2",
    serves: takeSwitch(flags, "--serve"),
    refreshes: takeSwitch(flags, "--refresh"),
    hasEndpointUrl: !takeSwitch(flags, "--no-endpoint-url"),
    passed: (takeValue(flags, "--pass") ?? "").toLowerCase().split(",").filter(Boolean),
    // Last: whatever is left belongs to the server.
    config: readConfig(flags),
  };
}

/** The server's address if it answers. */
async function runningServer(config: Config): Promise<string | undefined> {
  const url = readServerFile(config.dataFolder)?.url;
  if (url === undefined) return undefined;
  const isUp = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) }).then(
    (answer) => answer.ok,
    () => false,
  );
  return isUp ? url : undefined;
}

interface Serving {
  readonly url: string;
  stop(): Promise<void>;
}

async function server({ config, serves }: Asked): Promise<Serving> {
  const running = await runningServer(config);
  if (running !== undefined) return { url: running, stop: async () => {} };
  if (serves) return startSalvia(config);
  throw new ExecProblem(
    noSalviaYet(config) ??
      `No server answers for the data folder ${config.dataFolder}. Start it with \`salvia serve --data ${config.dataFolder}\`, ` +
        "or give `salvia exec` the flag --serve.\n",
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Puts a `docker` into a folder of its own that maps image names and then runs the user's; undefined where there is none. */
function makeDockerShim(folder: string, path: string, serverUrl: string): string | undefined {
  const docker = path
    .split(delimiter)
    .filter(Boolean)
    .map((each) => join(each, "docker"))
    .find(isProgram);
  const entry = process.argv[1];
  if (docker === undefined || entry === undefined || process.platform === "win32") return undefined;
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const shim = join(bin, "docker");
  const words = [process.execPath, entry, "docker-shim", docker, `localhost:${new URL(serverUrl).port || 80}`, "--"];
  // Node's own proxy support would only warn here; the shim talks to nobody.
  writeFileSync(shim, `#!/bin/sh\nexec ${words.map(shellQuoted).join(" ")} "$@"\n`);
  chmodSync(shim, 0o700);
  return bin;
}

async function startProxy(
  asked: Asked,
  serverUrl: string,
  out: Outward,
  bundle: string,
  user: Variables,
): Promise<ExecProxy> {
  const authority = openAuthority(asked.config.dataFolder, systemClock, systemRandom);
  writeFileSync(bundle, trustBundle(authority.certificate, user), { mode: 0o600 });
  return startExecProxy({
    serverUrl,
    authority,
    outward: out,
    user: "salvia",
    password: systemRandom.bytes(24).toString("base64url"),
    isAws: awsHosts(asked.passed),
    ...(asked.refreshes ? { credentials: () => containerCredentials(asked.config) } : {}),
  });
}

/** In the form of an ECS container's endpoint. */
async function containerCredentials(config: Config): Promise<object> {
  const keys = await clientKeys(config, "role", "salvia-exec");
  return {
    RoleArn: `arn:aws:iam::${config.accountId}:role/SalviaExecutionRole`,
    AccessKeyId: keys.accessKeyId,
    SecretAccessKey: keys.secretAccessKey,
    Token: keys.sessionToken,
    Expiration: new Date(systemClock.now().getTime() + sessionSeconds * 1_000).toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

async function credentialVariables({ config, refreshes }: Asked, proxy: ExecProxy): Promise<Variables> {
  if (!refreshes) return keyVariables(await clientKeys(config, "role", "salvia-exec"));
  const { origin, username, password } = new URL(proxy.url);
  return {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}${credentialsPath}`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
  };
}

async function runCommand(asked: Asked, serverUrl: string, folder: string, user: Variables): Promise<number> {
  const bundleFile = join(folder, "certificates.pem");
  const emptyFile = join(folder, "aws-config");
  writeFileSync(emptyFile, "", { mode: 0o600 });
  const proxy = await startProxy(asked, serverUrl, outward(user), bundleFile, user);
  try {
    const environment = execEnvironment(user, {
      proxyUrl: proxy.url,
      bundleFile,
      emptyFile,
      shimFolder: makeDockerShim(folder, user["PATH"] ?? "", serverUrl),
      region: asked.region,
      endpointUrl: asked.hasEndpointUrl ? serverUrl : undefined,
      credentials: await credentialVariables(asked, proxy),
    });
    const [program, ...args] = asked.command;
    return await follow(() => spawn(program, args, { stdio: "inherit", env: environment }));
  } finally {
    await proxy.close();
  }
}

async function execute(asked: Asked, user: Variables): Promise<number> {
  const serving = await server(asked);
  const folder = mkdtempSync(join(tmpdir(), "salvia-exec-"));
  try {
    return await runCommand(asked, serving.url, folder, user);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await serving.stop();
  }
}

const isForTheUser = (error: unknown): error is Error =>
  error instanceof ExecProblem ||
  error instanceof ParentProxyError ||
  error instanceof FolderHeldError ||
  error instanceof FolderProblemError;

export async function exec(args: readonly string[]): Promise<number> {
  const dashes = args.indexOf("--");
  if (args.slice(0, dashes < 0 ? args.length : dashes).includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    return await execute(readArguments(args), process.env);
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\n`);
      return 2;
    }
    if (!isForTheUser(error)) throw error;
    process.stderr.write(error instanceof ExecProblem ? error.message : `salvia exec: ${error.message}\n`);
    return 1;
  }
}
