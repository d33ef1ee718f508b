// A server on the process backend that gets struck, what its jobs need, and what is left of them in the end.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { expect, onTestFinished } from "vitest";
import { findPythons } from "../../src/agent/choose-python.ts";
import { probeNamespaces } from "../../src/lib/probe-namespaces.ts";
import { Gates } from "./gates.ts";
import { nothingLeft } from "./nothing-left.ts";
import { killNow, processesOf, type Found } from "./processes.ts";
import { Victim } from "./victim.ts";

const walls = probeNamespaces();

/** Why programs in Python cannot run here as processes; undefined: they can. */
export const noPrograms: string | undefined = !walls.works
  ? `namespaces do not work here: ${walls.reason}`
  : findPythons().length === 0
    ? "there is no Python 3 in a system folder"
    : undefined;

export const titled = (text: string): string => (noPrograms === undefined ? text : `${text} (skipped: ${noPrograms})`);

/** Making the Python environment, where no suite did before, takes half a minute, and more where the packages must be fetched. */
export const timeout = 400_000;

/** SageMaker's own, which runs in a Python environment here. */
export const scikitImage = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
export const RoleArn = "arn:aws:iam::000000000000:role/SalviaExecutionRole";

/** Made once by the suites of framework images, or here. */
const environments = join(import.meta.dirname, "..", "..", ".cache", "acceptance", "environments");

export type Strike = "the server alone" | "the server and all its agents";
export const strikes: readonly Strike[] = ["the server alone", "the server and all its agents"];

export class Struck {
  readonly bucket = "struck";
  readonly dataFolder: string;
  readonly gates: Gates;
  readonly clients: ReturnType<Victim["clients"]>;
  readonly #victim: Victim;

  private constructor(dataFolder: string, victim: Victim) {
    this.dataFolder = dataFolder;
    this.gates = new Gates(dataFolder);
    this.#victim = victim;
    this.clients = victim.clients();
  }

  /** For one test, after which nothing of it is there any more. `flags`: further ones of the server, whose files may lie in the folder. */
  static async start(flags: (folder: string) => readonly string[] = () => []): Promise<Struck> {
    const folder = mkdtempSync(join(tmpdir(), "salvia-kill-"));
    const dataFolder = join(folder, "data");
    mkdirSync(environments, { recursive: true });
    mkdirSync(dataFolder, { mode: 0o700 });
    symlinkSync(environments, join(dataFolder, "environments"));
    const victim = await Victim.on(dataFolder, ["--compute", "process", ...flags(folder)]);
    onTestFinished(async () => {
      await victim.kill();
      for (const { pid } of processesOf(dataFolder)) killNow(pid);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    });
    await victim.start();
    const struck = new Struck(dataFolder, victim);
    await struck.clients.s3.send(new CreateBucketCommand({ Bucket: struck.bucket }));
    return struck;
  }

  /** kill -9, then what is done while nobody is there, then the next server. Answers how many agents died of it. */
  async strike(target: Strike, meanwhile: () => Promise<void> | void = () => undefined): Promise<number> {
    await this.#victim.kill();
    const agents = target === "the server and all its agents" ? this.kill("agent") : 0;
    await meanwhile();
    await this.#victim.start();
    return agents;
  }

  /** kill -9 of all processes of these kinds; how many there were. */
  kill(...kinds: readonly Found["kind"][]): number {
    const found = processesOf(this.dataFolder).filter(({ kind }) => kinds.includes(kind));
    return found.filter(({ pid }) => killNow(pid)).length;
  }

  async put(Key: string, Body: string | Uint8Array): Promise<void> {
    await this.clients.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body }));
  }

  async remove(Key: string): Promise<void> {
    await this.clients.s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }));
  }

  async bytes(Key: string): Promise<Uint8Array> {
    const { Body } = await this.clients.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
    if (!Body) throw new Error(`${Key} has no body`);
    return Body.transformToByteArray();
  }

  async text(Key: string): Promise<string> {
    return Buffer.from(await this.bytes(Key)).toString();
  }

  async keys(Prefix: string): Promise<string[]> {
    const found = await this.clients.s3.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix }));
    return (found.Contents ?? []).map(({ Key = "" }) => Key);
  }

  uri(key: string): string {
    return `s3://${this.bucket}/${key}`;
  }

  /** In the order of their time, without those that Salvia itself says. */
  async lines(logGroupName: string, logStreamNamePrefix: string): Promise<string[]> {
    const lines: string[] = [];
    let nextToken: string | undefined;
    do {
      const wanted = { logGroupName, logStreamNamePrefix, nextToken };
      const page = await this.clients.logs.send(new FilterLogEventsCommand(wanted));
      for (const { message = "" } of page.events ?? []) lines.push(message);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return lines;
  }

  /** No process, folder or mount of a task while the server runs, and none at all after it. */
  async isClean(): Promise<void> {
    await nothingLeft(this.dataFolder);
    await this.#victim.stop();
    expect(processesOf(this.dataFolder)).toEqual([]);
  }
}
