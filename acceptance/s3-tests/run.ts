// Runs ceph/s3-tests from a checkout beside ours against a fresh server: `S3_TESTS=FOLDER node acceptance/s3-tests/run.ts [--all | NAME…]`.
// Without names: those of needed.txt, which are what SageMaker's clients need. docs/s3-compatibility.md has the counts.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startServer } from "../../examples/quickstart/server.ts";
import { canonicalUserId } from "../../src/services/s3/index.ts";

const root = join(import.meta.dirname, "..", "..");
const suite = "s3tests/functional/test_s3.py";

interface Account {
  readonly id: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The suite plays several parts; each is the root of an account. */
const accounts = {
  main: {
    id: "000000000000",
    accessKeyId: "AKIAMAIN000000000000",
    secretAccessKey: "main-secret-of-the-s3-tests-suite-00000",
  },
  alt: {
    id: "111111111111",
    accessKeyId: "AKIAALT0000000000000",
    secretAccessKey: "alt-secret-of-the-s3-tests-suite-000000",
  },
  tenant: {
    id: "222222222222",
    accessKeyId: "AKIATENANT0000000000",
    secretAccessKey: "tenant-secret-of-the-s3-tests-suite-000",
  },
} satisfies Record<string, Account>;

/** The other accounts' keys go straight into the database of a server that does not run. */
function addAccount(dataFolder: string, { id, accessKeyId, secretAccessKey }: Account): void {
  const database = new DatabaseSync(join(dataFolder, "salvia.db"));
  database
    .prepare(
      `insert into access_keys (access_key_id, account, principal_arn, user_id, secret_access_key, is_active, created_at)
       values (?, ?, ?, ?, ?, 1, 0)`,
    )
    .run(accessKeyId, id, `arn:aws:iam::${id}:root`, id, secretAccessKey);
  database.close();
}

/** The suite wants to know what S3 calls the accounts. */
const keys = ({ accessKeyId, secretAccessKey, id }: Account, name: string): string =>
  `display_name = ${id}\nuser_id = ${canonicalUserId(id)}\nemail = ${name}@example.com\naccess_key = ${accessKeyId}\nsecret_key = ${secretAccessKey}\n`;

const configuration = (url: URL): string => `[DEFAULT]
host = ${url.hostname}
port = ${url.port}
is_secure = False
ssl_verify = False

[fixtures]
bucket prefix = s3-tests-{random}-

[s3 main]
api_name = us-west-2
lc_debug_interval = 1
${keys(accounts.main, "main")}
[s3 alt]
${keys(accounts.alt, "alt")}
[s3 tenant]
tenant = ${accounts.tenant.id}
${keys(accounts.tenant, "tenant")}
[iam]
${keys(accounts.main, "iam")}
[iam root]
${keys(accounts.main, "iam-root")}
[iam alt root]
${keys(accounts.alt, "iam-alt-root")}`;

/** An environment of the checkout's own; a string says why there is none. */
function pythonFor(checkout: string): string {
  const given = process.env["S3_TESTS_PYTHON"];
  if (given !== undefined) return given;
  const folder = join(root, ".cache", "acceptance", "s3-tests");
  const python = join(folder, "bin", "python");
  if (existsSync(join(folder, "installed.txt"))) return python;
  for (const [program, args] of [
    ["python3", ["-m", "venv", folder]],
    [python, ["-m", "pip", "install", "--quiet", "-r", join(checkout, "requirements.txt")]],
  ] as const) {
    const made = spawnSync(program, args, { stdio: "inherit" });
    if (made.status !== 0) throw new Error("the Python environment of s3-tests could not be made");
  }
  writeFileSync(join(folder, "installed.txt"), "");
  return python;
}

function targets(asked: readonly string[]): readonly string[] {
  if (asked.includes("--all")) return [suite];
  const needed = readFileSync(join(import.meta.dirname, "needed.txt"), "utf8")
    .trim()
    .split("\n");
  return (asked.length > 0 ? asked : needed).map((name) => `${suite}::${name}`);
}

async function run(checkout: string, asked: readonly string[]): Promise<number> {
  const python = pythonFor(checkout);
  const folder = mkdtempSync(join(tmpdir(), "salvia-s3-tests-"));
  try {
    const data = join(folder, "data");
    await (await startServer(data, false, 0)).stop();
    for (const account of [accounts.alt, accounts.tenant]) addAccount(data, account);
    rmSync(join(data, "server.log"));
    process.env["SALVIA_ROOT_ACCESS_KEY_ID"] = accounts.main.accessKeyId;
    process.env["SALVIA_ROOT_SECRET_ACCESS_KEY"] = accounts.main.secretAccessKey;
    // The suite was written for S3 as it was before access control lists were disabled and public access blocked by default.
    process.env["SALVIA_BUCKET_DEFAULTS"] = "2022";
    const server = await startServer(data, false, 0);
    const config = join(folder, "s3tests.conf");
    writeFileSync(config, configuration(new URL(server.url)));
    const args = ["-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", ...targets(asked)];
    const env = { ...process.env, S3TEST_CONF: config, PYTHONDONTWRITEBYTECODE: "1" };
    const child = spawn(python, args, { cwd: checkout, stdio: "inherit", env });
    const status = await new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
    await server.stop();
    return status;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const checkout = process.env["S3_TESTS"];
if (checkout === undefined || !existsSync(join(checkout, suite))) {
  process.stderr.write("S3_TESTS must name a checkout of https://github.com/ceph/s3-tests\n");
  process.exitCode = 1;
} else {
  process.exitCode = await run(checkout, process.argv.slice(2));
}
