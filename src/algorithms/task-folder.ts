// The container contract's folder, /opt/ml: configuration in, model and failure out.
// https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../lib/error-code.ts";
import { ClientError } from "./client-error.ts";

export interface ChannelConfig {
  readonly ContentType?: string;
  readonly TrainingInputMode?: string;
  readonly S3DistributionType?: string;
  readonly RecordWrapperType?: string;
}

export interface Hosts {
  readonly current: string;
  readonly all: readonly string[];
}

export interface TaskFolder {
  readonly root: string;
  readonly data: string;
  readonly model: string;
  hyperparameters(): Promise<Readonly<Record<string, string>>>;
  channels(): Promise<Readonly<Record<string, ChannelConfig>>>;
  hosts(): Promise<Hosts>;
  readonly writeModel: (name: string, bytes: Uint8Array) => Promise<void>;
  writeFailure(text: string): Promise<void>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A missing file is an empty object: a job without hyperparameters has none to write. */
async function readObject(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return {};
    throw error;
  }
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed)) throw new ClientError(`${path} does not hold a JSON object`);
  return parsed;
}

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

async function readHosts(path: string): Promise<Hosts> {
  const { current_host: current, hosts } = await readObject(path);
  const all = Array.isArray(hosts) ? hosts.map(String) : [];
  if (typeof current !== "string") return { current: "algo-1", all: ["algo-1"] };
  return { current, all: all.includes(current) ? all : [current] };
}

/** @param root /opt/ml, or where the platform keeps it for this task */
export function openTaskFolder(root: string): TaskFolder {
  const config = join(root, "input", "config");
  const model = join(root, "model");
  const output = join(root, "output");
  return {
    root,
    data: join(root, "input", "data"),
    model,
    async hyperparameters() {
      const values = await readObject(join(config, "hyperparameters.json"));
      return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asText(value)]));
    },
    async channels() {
      const channels = await readObject(join(config, "inputdataconfig.json"));
      return Object.fromEntries(Object.entries(channels).map(([name, value]) => [name, isObject(value) ? value : {}]));
    },
    hosts: () => readHosts(join(config, "resourceconfig.json")),
    writeModel: async (name, bytes) => {
      await mkdir(model, { recursive: true });
      await writeFile(join(model, name), bytes);
    },
    async writeFailure(text) {
      await mkdir(output, { recursive: true });
      await writeFile(join(output, "failure"), text);
    },
  };
}
