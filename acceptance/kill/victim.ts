// A Salvia that gets killed and started again, on one data folder and one port.
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { freePort } from "../../src/lib/free-port.ts";

const launcher = join(import.meta.dirname, "..", "..", "bin", "salvia.js");
const key = { accessKeyId: "AKIAKILLTESTROOT0001", secretAccessKey: "kill-test-root-secret-0001" };

export class Victim {
  readonly dataFolder: string;
  readonly port: number;
  #process: ChildProcess | undefined;
  /** ms from spawn to ready, of every start. */
  readonly startTimes: number[] = [];

  readonly #flags: readonly string[];

  private constructor(dataFolder: string, port: number, flags: readonly string[]) {
    this.dataFolder = dataFolder;
    this.port = port;
    this.#flags = flags;
  }

  /** `flags`: further ones of `salvia serve`. */
  static async on(dataFolder: string, flags: readonly string[] = []): Promise<Victim> {
    return new Victim(dataFolder, await freePort("127.0.0.1"), flags);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Clients that try once: a failure is not an acknowledgement, and the test wants to see it. */
  clients() {
    const shared = { endpoint: `http://127.0.0.1:${this.port}`, region: "us-west-2", credentials: key, maxAttempts: 1 };
    return {
      s3: new S3Client({ ...shared, forcePathStyle: true }),
      sagemaker: new SageMakerClient(shared),
      runtime: new SageMakerRuntimeClient(shared),
      logs: new CloudWatchLogsClient(shared),
    };
  }

  async start(): Promise<void> {
    const startedAt = performance.now();
    const child = spawn(
      process.execPath,
      [
        launcher,
        "serve",
        "--port",
        String(this.port),
        "--data",
        this.dataFolder,
        "--log-level",
        "warn",
        "--job-instances",
        "6",
        ...this.#flags,
      ],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: {
          ...process.env,
          SALVIA_ROOT_ACCESS_KEY_ID: key.accessKeyId,
          SALVIA_ROOT_SECRET_ACCESS_KEY: key.secretAccessKey,
        },
      },
    );
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => chunk.toString().includes("Salvia is ready") && resolve());
      child.once("exit", (code, signal) => reject(new Error(`the server ended while starting (${code ?? signal})`)));
    });
    this.startTimes.push(performance.now() - startedAt);
  }

  /** kill -9, and the process is gone when this resolves. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  }
}
