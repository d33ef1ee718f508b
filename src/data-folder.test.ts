// What the server's process promises about its data folder, its port and its end. Real processes, real file systems.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateModelCommand, DescribeModelCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { expect, onTestFinished, test, type TestContext } from "vitest";
import { canRunAs, processKey, runSalvia, serveOn } from "./server-process.fake.ts";

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-folder-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const clientOptions = (endpoint: string) => ({
  endpoint,
  region: "us-west-2",
  credentials: processKey,
  maxAttempts: 1,
  forcePathStyle: true,
});

function clientsOf(endpoint: string) {
  const s3 = new S3Client(clientOptions(endpoint));
  const sagemaker = new SageMakerClient(clientOptions(endpoint));
  onTestFinished(() => {
    s3.destroy();
    sagemaker.destroy();
  });
  return { s3, sagemaker };
}

/** A file system of its own at a new folder; skips the test where the machine does not allow that. */
function tmpfsForTest(context: TestContext, options: string): string {
  if (process.getuid?.() !== 0) context.skip("only root may mount a file system");
  const folder = folderForTest();
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { encoding: "utf8" });
  if (status !== 0) context.skip(`no file system can be mounted here: ${stderr}`);
  onTestFinished(() => void spawnSync("umount", ["--lazy", folder]));
  return folder;
}

test("a second server on a folder ends at once and says who holds it", async () => {
  const folder = folderForTest();
  const first = serveOn(folder);
  const url = await first.ready();
  const { code, stderr } = await serveOn(folder).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Salvia did not start: the data folder .* is held by process \d+, at http.*--data\.\n$/);
  expect(stderr).toContain(`process ${first.pid}, at ${url},`);
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

test("after kill -9 a new server starts on the folder and has what was acknowledged", async () => {
  const folder = folderForTest();
  const first = serveOn(folder);
  const { s3 } = clientsOf(await first.ready());
  await s3.send(new CreateBucketCommand({ Bucket: "digits" }));
  await first.kill("SIGKILL");
  const second = clientsOf(await serveOn(folder).ready());
  await expect(second.s3.send(new HeadBucketCommand({ Bucket: "digits" }))).resolves.toBeDefined();
});

test("SIGTERM ends the server with exit code 0, and its folder is free", async () => {
  const folder = folderForTest();
  const first = serveOn(folder);
  await first.ready();
  expect(await first.kill("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
  await expect(serveOn(folder).ready()).resolves.toMatch(/^http/);
});

test("a folder on a read-only file system gives a sentence, not a stack", async (context) => {
  const folder = tmpfsForTest(context, "ro,size=1m");
  const { code, stderr } = await serveOn(folder).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Salvia did not start: the data folder .* cannot be written \(.*\)\. .*\n$/);
});

test("a folder that cannot be made gives a sentence, not a stack", async () => {
  const file = join(folderForTest(), "file");
  writeFileSync(file, "");
  const { code, stderr } = await serveOn(join(file, "data")).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Salvia did not start: the data folder .*data cannot be written \(.*\)\. .*\n$/);
});

test("a folder of another user gives a sentence, not a stack", async (context) => {
  const nobody = process.getuid?.() === 0 ? 65_534 : undefined;
  if (nobody !== undefined && !canRunAs(nobody)) context.skip("another user cannot read this checkout");
  const folder = join(folderForTest(), "closed");
  mkdirSync(folder, { mode: 0o555 });
  chmodSync(dirname(folder), 0o755);
  const options = nobody === undefined ? {} : { uid: nobody };
  const { code, stderr } = await runSalvia(["serve", "--port", "0", "--data", folder], options).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Salvia did not start: the data folder .* cannot be written \(.*\)\. .*\n$/);
});

test("a port in use gives a sentence that names it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await serveOn(folderForTest(), "--port", String(port)).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^Salvia did not start: .*in use.*:${port}.*\\n$`));
});

test("all problems of the settings are listed at once, and nothing is started", async () => {
  const args = ["serve", "--port", "many", "--frobnicate", "--log-level=loud", "--data"];
  const { code, stderr } = await runSalvia(args, { variables: { SALVIA_JOB_INSTANCES: "0" } }).ended;
  expect(code).toBe(2);
  expect(stderr.trimEnd().split("\n")).toEqual([
    '"--frobnicate" is not a flag of this command; `salvia serve --help` lists them',
    "--data needs a value",
    '--port must be a whole number from 0 to 65535, not "many"',
    'SALVIA_JOB_INSTANCES must be a whole number from 1 to 10000, not "0"',
    '--log-level must be debug, info, warn or error, not "loud"',
  ]);
});

test("`salvia env` on a folder without a server says how to start one, and makes nothing", async () => {
  const folder = join(folderForTest(), "none");
  const { code, stdout, stderr } = await runSalvia(["env", "--data", folder]).ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^There is no Salvia in .*\/none yet\. Start one with `salvia serve`/);
});

/** Takes what room is left. */
function fillDisk(folder: string): void {
  const file = openSync(join(folder, "filler"), "w");
  for (let bytes = 1 << 20; bytes > 0;) {
    try {
      writeSync(file, Buffer.alloc(bytes));
    } catch {
      bytes >>= 1;
    }
  }
  closeSync(file);
}

interface Refusal {
  readonly name: string;
  readonly message: string;
  readonly $metadata: { readonly httpStatusCode?: number };
}

/** Sends until it is refused; resolves with how many were acknowledged before. Gives up after `most`. */
async function untilRefused(
  most: number,
  send: (at: number) => Promise<unknown>,
): Promise<{ acknowledged: number; refusal: Refusal | undefined }> {
  for (let at = 0; at < most; at += 1) {
    try {
      await send(at);
    } catch (error) {
      return { acknowledged: at, refusal: error as Refusal };
    }
  }
  return { acknowledged: most, refusal: undefined };
}

const Bucket = "digits";
const body = (at: number): Uint8Array => new Uint8Array(1 << 20).fill(at + 1);

test("a full disk refuses writes in words, keeps what was acknowledged, and works again when there is room", async (context) => {
  const folder = tmpfsForTest(context, "size=24m");
  const data = join(folder, "data");
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, new Uint8Array(5 << 20));
  const first = serveOn(data);
  const { s3, sagemaker } = clientsOf(await first.ready());
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = (at: number) => s3.send(new PutObjectCommand({ Bucket, Key: `o${at}`, Body: body(at) }));
  const create = (at: number) =>
    sagemaker.send(
      new CreateModelCommand({
        ModelName: `m${at}`,
        ExecutionRoleArn: "arn:aws:iam::000000000000:role/SalviaExecutionRole",
        PrimaryContainer: {
          Image: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
          Environment: { LONG: "x".repeat(1_000) },
        },
      }),
    );

  const objects = await untilRefused(40, put);
  expect(objects.refusal).toMatchObject({ name: "InsufficientStorage", message: expect.stringMatching(/disk.*full/) });
  expect(objects.refusal?.$metadata.httpStatusCode).toBe(507);
  expect(objects.acknowledged).toBeGreaterThan(5);

  fillDisk(folder);
  const models = await untilRefused(20_000, create);
  expect(models.refusal).toMatchObject({ name: "ServiceUnavailable", message: "The server's disk is full." });
  expect(models.refusal?.$metadata.httpStatusCode).toBe(503);

  const checkAll = async ({ s3, sagemaker }: ReturnType<typeof clientsOf>): Promise<void> => {
    for (let at = 0; at < objects.acknowledged; at += 1) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `o${at}` }));
      expect(Buffer.compare((await Body?.transformToByteArray()) ?? new Uint8Array(), body(at))).toBe(0);
    }
    for (let at = 0; at < models.acknowledged; at += 1) {
      await sagemaker.send(new DescribeModelCommand({ ModelName: `m${at}` }));
    }
  };
  await checkAll({ s3, sagemaker });

  rmSync(ballast);
  await create(models.acknowledged);
  await put(objects.acknowledged);
  await first.kill("SIGKILL");
  await checkAll(clientsOf(await serveOn(data).ready()));
}, 120_000);

test.skipIf(!existsSync("/proc/self"))(
  "a place where no folder can be made is said at once (needs /proc)",
  async () => {
    const { code, stderr } = await runSalvia(["serve", "--port", "0", "--data", "/proc/salvia/data"]).ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/the data folder \/proc\/salvia\/data cannot be written \(ENOENT/);
  },
);
