// `npm run acceptance -- CLIENT…` (or CLIENT/SUITE): real clients, each in an environment of its own, against a real server on a fresh data folder.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../src/lib/free-port.ts";
import { startServer, type Server } from "../examples/quickstart/server.ts";
import { findAwsCli2 } from "./cli2/find-aws-cli-2.ts";
import { writeDigits } from "./digits.ts";
import { findDockerAndPip } from "./registry/find-docker-and-pip.ts";
import { pythonFor } from "./python-environment.ts";
import { findDocker } from "./registry/find-docker.ts";
import { run } from "./run-program.ts";
import { findTerraform } from "./terraform/find-terraform.ts";

interface Client {
  readonly name: string;
  /** pip requirements, pinned. */
  readonly packages: readonly string[];
  /** Whose environment it shares, where that has the same packages. Default: one of its own. */
  readonly environment?: string;
  /** What its suites find in their environment besides; a string says why they cannot run here. */
  readonly prepare?: () => Readonly<Record<string, string>> | string;
}

const boto3 = ["boto3==1.44.5", "numpy==2.2.6"];
const sdk2 = [
  "sagemaker==2.257.7",
  "boto3==1.44.5",
  "numpy==1.26.4",
  "setuptools==80.9.0",
  "matplotlib==3.11.2",
  "nbconvert==7.17.2",
  "ipykernel==7.4.0",
];

/** Its suite goes on without. */
const perhapsAwsCli2 = (): Readonly<Record<string, string>> => {
  const found = findAwsCli2();
  return typeof found === "string" ? {} : found;
};

const clients: readonly Client[] = [
  { name: "boto3", packages: boto3 },
  { name: "sdk2", packages: sdk2 },
  { name: "frameworks", packages: sdk2, environment: "sdk2" },
  { name: "notebook", packages: sdk2, environment: "sdk2" },
  { name: "exec", packages: sdk2, environment: "sdk2", prepare: perhapsAwsCli2 },
  { name: "cli1", packages: ["awscli==1.46.3", "numpy==2.2.6"] },
  { name: "cli2", packages: boto3, environment: "boto3", prepare: findAwsCli2 },
  { name: "sdkjs", packages: boto3, environment: "boto3" },
  { name: "s3fs", packages: ["s3fs==2026.9.0", "pandas==2.3.3"] },
  { name: "pyarrow-s3", packages: ["pyarrow==26.0.1"] },
  { name: "sdk3", packages: ["sagemaker==3.27.0", "numpy==1.26.4"] },
  { name: "registry", packages: ["awscli==1.46.3", "boto3==1.44.3"], prepare: findDocker },
  { name: "docker", packages: sdk2, environment: "sdk2", prepare: findDockerAndPip },
  { name: "gluonts", packages: sdk2, environment: "sdk2", prepare: findDockerAndPip },
  { name: "terraform", packages: boto3, environment: "boto3", prepare: findTerraform },
];

const root = join(import.meta.dirname, "..");

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each skipped test with its reason. */
  readonly skips: readonly string[];
}

interface Prepared {
  readonly python: string;
  readonly variables: Readonly<Record<string, string>>;
}

async function runTests(
  suite: string,
  { python, variables }: Prepared,
  server: Server,
  digits: string,
  home: string,
): Promise<Counts> {
  const { accessKeyId, secretAccessKey, sessionToken } = server.credentials;
  const tested = await run(python, [suite], {
    PATH: process.env["PATH"],
    HOME: home,
    PYTHONPATH: join(root, "acceptance"),
    PYTHONDONTWRITEBYTECODE: "1",
    SAGEMAKER_SUPPRESS_V2_WARNING: "1",
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_DEFAULT_REGION: "us-west-2",
    SALVIA_TEST_DIGITS: digits,
    SALVIA_TEST_NODE: process.execPath,
    SALVIA_TEST_AWS_FLAGS: suite.includes("cli2") ? `--endpoint-url ${server.url}` : "",
    ...variables,
  });
  process.stdout.write(tested.stdout + tested.stderr);
  const last = tested.stdout.trim().split("\n").at(-1) ?? "";
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed, (\d+) skipped/.exec(last) ?? [];
  const skips = [...tested.stdout.matchAll(/^ {2}- skipped: (.*)$/gm)].map(([, told]) => told ?? "");
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0), skips };
  // A suite that died before its last line has failed, whatever it counted.
  const isWhole = passed !== undefined && (tested.status === 0) === (counts.failed === 0);
  return isWhole ? counts : { ...counts, failed: counts.failed + 1 };
}

const sum = (one: Counts, other: Counts): Counts => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  skipped: one.skipped + other.skipped,
  skips: [...one.skips, ...other.skips],
});

const nothing: Counts = { passed: 0, failed: 0, skipped: 0, skips: [] };

/** A few instances, the same on every machine: the suites wait in line for them and go over the limits on purpose. */
const serverFlags = ["--job-instances", "2", "--hosting-instances", "8"];

/** Suites that need no container engine see the same server with and without one. */
const computeFlags = (suite: string): readonly string[] =>
  /[/\\](?:docker|registry)[/\\]/.test(suite) ? [] : ["--compute", "process"];

/** Suites of framework images share what an earlier one has installed: it takes half a minute. */
function shareEnvironments(suite: string, dataFolder: string): void {
  if (!/[/\\]frameworks[/\\]/.test(suite)) return;
  const shared = join(root, ".cache", "acceptance", "environments");
  mkdirSync(shared, { recursive: true });
  mkdirSync(dataFolder, { mode: 0o700 });
  symlinkSync(shared, join(dataFolder, "environments"));
}

/** Jobs on ml.c5n.xlarge lose their instance two seconds after they began, once. */
function spotInterruptions(folder: string): string {
  const file = join(folder, "spot.json");
  const interruptions = { "ml.c5n.xlarge": { afterSeconds: [2] } };
  writeFileSync(file, JSON.stringify({ discountPercent: 60, interruptions }));
  return file;
}

/** A dollar per second, so that short jobs have costs to compare. */
function ownPrices(folder: string): string {
  const file = join(folder, "prices.json");
  writeFileSync(file, JSON.stringify({ "ml.c4.xlarge": 3_600 }));
  return file;
}

/** Each suite on a server of its own, so that none sees what another left. */
async function acceptSuite(suite: string, prepared: Prepared): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-acceptance-"));
  try {
    const home = join(folder, "home");
    mkdirSync(home);
    shareEnvironments(suite, join(folder, "data"));
    const samples = join(folder, "samples");
    mkdirSync(samples);
    const files = join(folder, "files");
    mkdirSync(join(files, "data"), { recursive: true });
    writeFileSync(join(files, "data", "shared.txt"), "of the machine");
    // Where a suite may listen for the events of buckets.
    const webhook = `http://127.0.0.1:${await freePort("127.0.0.1")}/`;
    const server = await startServer(join(folder, "data"), false, 0, [
      ...serverFlags,
      ...computeFlags(suite),
      "--s3-webhook",
      webhook,
      "--spot-interruptions",
      spotInterruptions(folder),
      "--sample-bucket",
      `sagemaker-sample-data-us-west-2=${samples}`,
      "--file-system",
      `fs-0acce97ed=${files}`,
      "--prices",
      ownPrices(folder),
    ]);
    const variables = {
      ...prepared.variables,
      SALVIA_TEST_WEBHOOK: webhook,
      SALVIA_TEST_SAMPLES: samples,
      SALVIA_TEST_DATA: join(folder, "data"),
    };
    try {
      return await runTests(suite, { ...prepared, variables }, server, writeDigits(folder), home);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a client's suites, or those whose file names contain `part`; a string says why they had to be skipped.
 * Throws when there are none.
 */
export async function accept(name: string, part = ""): Promise<Counts | string> {
  const client = clients.find((candidate) => candidate.name === name);
  if (!client)
    throw new Error(
      `There is no acceptance suite "${name}". There are: ${clients.map((each) => each.name).join(", ")}.`,
    );
  const folder = join(root, "acceptance", name);
  const suites = readdirSync(folder).filter((file) => /^test_.*\.py$/.test(file) && file.includes(part));
  if (suites.length === 0) throw new Error(`No suite of ${name} has "${part}" in its name.`);
  const variables = client.prepare?.() ?? {};
  if (typeof variables === "string") return variables;
  const made = await pythonFor(client.environment ?? client.name, client.packages);
  if (typeof made === "string") return made;
  let total = nothing;
  for (const suite of suites.sort()) {
    process.stdout.write(`-- ${name}/${suite}\n`);
    total = sum(total, await acceptSuite(join(folder, suite), { ...made, variables }));
  }
  return total;
}

if (import.meta.main) {
  const asked = process.argv.slice(2);
  let total = nothing;
  for (const wanted of asked.length > 0 ? asked : clients.map((client) => client.name)) {
    const [name = "", part] = wanted.split("/");
    process.stdout.write(`\n== ${wanted}\n`);
    const counts = await accept(name, part);
    if (typeof counts === "string") process.stdout.write(`skipped: ${name}: ${counts}\n`);
    total = sum(total, typeof counts === "string" ? { ...nothing, skipped: 1 } : counts);
  }
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
