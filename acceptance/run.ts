// `npm run acceptance -- CLIENT…`: real clients, each in an environment of its own, against a real server on a fresh data folder.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer, type Server } from "../examples/quickstart/server.ts";
import { writeDigits } from "./digits.ts";

interface Client {
  readonly name: string;
  /** pip requirements, pinned. */
  readonly packages: readonly string[];
}

const clients: readonly Client[] = [
  { name: "boto3", packages: ["boto3==1.44.5", "numpy==2.2.6"] },
  { name: "sdk2", packages: ["sagemaker==2.257.7", "boto3==1.44.5", "numpy==1.26.4", "setuptools==80.9.0"] },
];

const root = join(import.meta.dirname, "..");

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The client's Python, made once and kept under .cache; a string says why there is none. */
function pythonFor(client: Client): { readonly python: string } | string {
  const folder = join(root, ".cache", "acceptance", client.name);
  const python = join(folder, "bin", "python");
  const marker = join(folder, "installed.txt");
  const wanted = client.packages.join("\n");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return { python };
  if (spawnSync("python3", ["--version"]).status !== 0) return "there is no Python 3 on this machine";
  process.stdout.write(`Making the Python environment of ${client.name} (once): ${client.packages.join(" ")} …\n`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [program, args] of [
    ["python3", ["-m", "venv", folder]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--compile", ...client.packages]],
  ] as const) {
    const made = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, PYTHONDONTWRITEBYTECODE: "" } });
    if (made.status !== 0) return `its Python environment could not be made: ${made.stderr.trim().split("\n").at(-1)}`;
  }
  writeFileSync(marker, wanted);
  return { python };
}

function runTests(client: Client, python: string, server: Server, digits: string): Counts {
  const { accessKeyId, secretAccessKey, sessionToken } = server.credentials;
  const tested = spawnSync(python, [join(root, "acceptance", client.name, "test_client.py")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      HOME: mkdtempSync(join(tmpdir(), "salvia-home-")),
      PYTHONPATH: join(root, "acceptance"),
      SAGEMAKER_SUPPRESS_V2_WARNING: "1",
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_DEFAULT_REGION: "us-west-2",
      SALVIA_TEST_DIGITS: digits,
    },
  });
  process.stdout.write(tested.stdout);
  const last = tested.stdout.trim().split("\n").at(-1) ?? "";
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed, (\d+) skipped/.exec(last) ?? [];
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0) };
  // A suite that died before its last line has failed, whatever it counted.
  const isWhole = passed !== undefined && (tested.status === 0) === (counts.failed === 0);
  return isWhole ? counts : { ...counts, failed: counts.failed + 1 };
}

/** Runs one client's suite; a string says why it had to be skipped. */
export async function accept(name: string): Promise<Counts | string> {
  const client = clients.find((candidate) => candidate.name === name);
  if (!client)
    throw new Error(
      `There is no acceptance suite "${name}". There are: ${clients.map((each) => each.name).join(", ")}.`,
    );
  const made = pythonFor(client);
  if (typeof made === "string") return made;
  const folder = mkdtempSync(join(tmpdir(), `salvia-acceptance-${name}-`));
  const server = await startServer(join(folder, "data"), false, 0);
  try {
    return runTests(client, made.python, server, writeDigits(folder));
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const asked = process.argv.slice(2);
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const name of asked.length > 0 ? asked : clients.map((client) => client.name)) {
    process.stdout.write(`\n== ${name}\n`);
    const counts = await accept(name);
    if (typeof counts === "string") {
      process.stdout.write(`skipped: ${name}: ${counts}\n`);
      total.skipped++;
      continue;
    }
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
