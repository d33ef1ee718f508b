// A whole SageMaker for tests: database in memory, a clock that stands still, tasks that do what the test says.
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import type { BackendFeature, ComputeBackend, TaskState } from "../../compute/backend.ts";
import { openTestStore } from "../../database/store.fake.ts";
import { pricesOf } from "../../compute/prices.ts";
import { noInterruptions, type SpotPolicy } from "../../compute/spot-policy.ts";
import type { Store } from "../../database/store.ts";
import { createCapacity } from "../../engine/capacity.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { seededRandom } from "../../lib/random.ts";
import type { SagemakerOperations } from "../../models/generated/sagemaker.ts";
import { BlobMissingError, type BlobStorage } from "../../storage/storage.ts";
import type { TaskEvent } from "../../task/report.ts";
import type { TaskSpec } from "../../task/task.ts";
import { requestContext } from "../request-context.fake.ts";
import { createS3, type S3Objects } from "../s3/index.ts";
import type { MetricData } from "../cloudwatch/index.ts";
import type { RouteResponse } from "../service.ts";
import type { SagemakerPlatform } from "./context.ts";
import { createSagemaker, type Sagemaker } from "./index.ts";

export const account = "000000000000";
const region = "us-west-2";
export const roleArn = `arn:aws:iam::${account}:role/SalviaExecutionRole`;
export const kmeansImage = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1";

/** Tasks that only exist; what they do comes from `agent`. */
class FakeTasks implements ComputeBackend {
  readonly name = "fake";
  readonly features = new Set<BackendFeature>(["multi-instance"]);
  readonly running = new Map<string, TaskSpec>();
  /** How often a task really began, by key. */
  readonly starts = new Map<string, number>();
  readonly stopped = new Set<string>();
  readonly removed = new Set<string>();
  /** Thrown by the next start, before or after the task began. */
  failNext: { readonly error: Error; readonly afterStart: boolean } | undefined;

  /** In the engine. */
  readonly images = new Set<string>();

  async hasImage(names: readonly string[]): Promise<boolean> {
    return names.some((name) => this.images.has(name));
  }

  async start(task: TaskSpec): Promise<void> {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure && !failure.afterStart) throw failure.error;
    if (!this.running.has(task.key)) {
      this.running.set(task.key, task);
      this.starts.set(task.key, (this.starts.get(task.key) ?? 0) + 1);
    }
    if (failure) throw failure.error;
  }

  /** Throws when no such task runs. */
  spec(key: string): TaskSpec {
    const spec = this.running.get(key);
    if (!spec) throw new Error(`no task ${key}`);
    return spec;
  }

  async inspect(key: string): Promise<TaskState | undefined> {
    return this.running.has(key) ? { state: "alive" } : undefined;
  }

  async stop(key: string): Promise<void> {
    this.stopped.add(key);
  }

  async remove(key: string): Promise<void> {
    this.running.delete(key);
    this.removed.add(key);
  }

  async *list(): AsyncGenerator<string> {
    yield* this.running.keys();
  }
}

interface LoggedLine {
  readonly group: string;
  readonly stream: string;
  readonly message: string;
}

type Input<Name extends keyof SagemakerOperations> = SagemakerOperations[Name]["input"];
type Output<Name extends keyof SagemakerOperations> = SagemakerOperations[Name]["output"];

export interface FakeSagemaker {
  readonly sagemaker: Sagemaker;
  readonly clock: FakeClock;
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly tasks: FakeTasks;
  readonly objects: S3Objects;
  readonly lines: LoggedLine[];
  readonly metrics: (MetricData & { readonly namespace: string })[];
  readonly engine: Engine;
  call<Name extends keyof SagemakerOperations>(name: Name, input: Input<Name>, by?: string): Promise<Output<Name>>;
  /** Runs every due pass until nothing is due. */
  settle(): Promise<void>;
  /** What the agent of a running task would send. */
  agent(key: string): FakeAgent;
  putObject(key: string, text: string): Promise<void>;
}

interface FakeAgent {
  request(method: string, path: string, body?: string | Uint8Array, token?: string): Promise<RouteResponse>;
  /** As the next report, or with the given number. */
  report(events: readonly TaskEvent[], sequence?: number): Promise<RouteResponse>;
}

async function agentOf(sagemaker: Sagemaker, store: Store, key: string): Promise<FakeAgent> {
  const [route] = sagemaker.routes;
  if (!route) throw new Error("SageMaker has no route for tasks");
  const row = await store.read.selectFrom("tasks").selectAll().where("key", "=", key).executeTakeFirst();
  let sequence = row?.sequence ?? 0;
  const request: FakeAgent["request"] = (method, path, body = "", token = row?.token ?? "") =>
    route.handle({
      method,
      rawPath: `${route.prefix}${key}/${path}`,
      rawQuery: "",
      headers: { authorization: `Bearer ${token}` },
      body: Readable.from([Buffer.from(body)]),
      remoteAddress: "127.0.0.1",
      signal: new AbortController().signal,
    });
  return {
    request,
    report: (events, number = ++sequence) => request("POST", "reports", JSON.stringify({ sequence: number, events })),
  };
}

export const bodyText = async (response: RouteResponse): Promise<string> => {
  const { body = "" } = response;
  return body instanceof Readable ? (await buffer(body)).toString() : Buffer.from(body).toString();
};

const kmeans = {
  name: "kmeans",
  metrics: [{ Name: "test:msd", Regex: "#quality_metric: host=\\S+, test msd <loss>=(\\S+)" }],
  checkHyperparameters: (values: Readonly<Record<string, string>>) => {
    if (values["k"] === undefined) throw new Error('ClientError: the hyperparameter "k" is missing');
  },
};

export interface FakeOptions {
  readonly jobs?: number;
  readonly spot?: SpotPolicy;
  /** Stands between the services and the store, to fail where a test wants it. */
  readonly wrapStore?: (store: Store) => Store;
}

interface Ground {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly objects: S3Objects;
}

/** Blobs in memory, under names that look like files. */
function memoryStorage(): BlobStorage {
  const blobs = new Map<string, Buffer>();
  let count = 0;
  const keep = (bytes: Buffer) => {
    const id = `blob-${++count}`;
    blobs.set(id, bytes);
    return { id, sizeBytes: bytes.length };
  };
  const bytesOf = (id: string): Buffer => {
    const bytes = blobs.get(id);
    if (!bytes) throw new BlobMissingError(id);
    return bytes;
  };
  return {
    write: async (source) => keep(await buffer(source)),
    read: async (id, range) => Readable.from([bytesOf(id).subarray(range?.start, range && range.end + 1)]),
    join: async (ids) => keep(Buffer.concat(ids.map(bytesOf))),
    localPath: (id) => `/blobs/${id}`,
    remove: async (id) => {
      blobs.delete(id);
    },
    list: async function* () {
      for (const id of blobs.keys()) yield { id, modifiedAt: new Date(0) };
    },
  };
}

/** Database, storage and two buckets: "bucket" is ours, "foreign" is not. */
async function layGround(): Promise<Ground> {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  onTestFinished(() => store.close());
  const storage = memoryStorage();
  const { objects } = createS3({ store, storage, clock, random: seededRandom(2), log: silentLog });
  const buckets = [
    { name: "bucket", account, region, created_at: 0, versioning: "", ownership: "" },
    { name: "foreign", account: "111111111111", region, created_at: 0, versioning: "", ownership: "" },
  ];
  await store.write((tx) => tx.insertInto("buckets").values(buckets).execute());
  return { clock, store, storage, objects };
}

type Recorded = Pick<FakeSagemaker, "lines" | "metrics">;

const recorders = ({ lines, metrics }: Recorded): Pick<SagemakerPlatform, "logs" | "metrics"> => ({
  logs: {
    append: async (_tx, _scope, group, stream, events) => {
      lines.push(...events.map(({ message }) => ({ group, stream, message })));
    },
  },
  metrics: {
    put: async (_tx, _scope, namespace, data) => {
      metrics.push(...data.map((datum) => ({ ...datum, namespace })));
    },
  },
});

const fakeIdentity = (clock: FakeClock): SagemakerPlatform["identity"] => ({
  sessionFor: async () => ({
    accessKeyId: "ASIAEXAMPLE",
    secretAccessKey: "secret",
    sessionToken: "token",
    expiration: new Date(clock.now().getTime() + 3_600_000),
  }),
});

/** The one role may do everything in its own account. */
const fakeRoles = (objects: S3Objects): SagemakerPlatform["roles"] => ({
  serviceMayAssume: async (arn) => arn === roleArn,
  decideForRole: async (_role, _region, { bucket = "" }) => {
    const owner = await objects.bucketOwner(bucket);
    return { owner, problem: owner === undefined || owner === account ? undefined : "Access Denied" };
  },
});

export async function fakeSagemaker({
  jobs = 4,
  wrapStore,
  spot = noInterruptions,
}: FakeOptions = {}): Promise<FakeSagemaker> {
  const { clock, store: opened, storage, objects } = await layGround();
  const store = wrapStore?.(opened) ?? opened;
  const random = seededRandom(1);
  const recorded: Recorded = { lines: [], metrics: [] };
  const tasks = new FakeTasks();
  const platform: SagemakerPlatform = {
    store,
    storage,
    clock,
    random,
    log: silentLog,
    capacity: createCapacity({ store: opened, clock, limits: { jobs, hosting: 4 } }),
    compute: tasks,
    objects,
    ...recorders(recorded),
    identity: fakeIdentity(clock),
    roles: fakeRoles(objects),
    isFrameworkStrict: false,
    spot,
    fileSystems: new Map(),
    prices: pricesOf({}),
    algorithms: { find: (image) => (image.includes("/kmeans:") ? kmeans : undefined), names: ["kmeans"] },
    images: { find: async ({ image }) => ({ kind: "foreign", name: image }) },
    server: { url: () => "http://127.0.0.1:7243" },
    nudge: () => undefined,
  };
  const sagemaker = createSagemaker(platform);
  const engine = createEngine({ store, clock, random, log: silentLog, reconcilers: sagemaker.reconcilers });
  return {
    sagemaker,
    clock,
    store: opened,
    storage,
    tasks,
    objects,
    ...recorded,
    engine,
    call: async (name, input, by = account) =>
      (await sagemaker.service.handle(
        name,
        input,
        requestContext({ ...platform, service: "sagemaker", operation: name, account: by, region }),
      )) as never,
    settle: async () => {
      while ((await engine.runDue()) > 0);
    },
    agent: (key) => lazyAgent(() => agentOf(sagemaker, opened, key)),
    putObject: async (key, text) => {
      await objects.put(account, "bucket", key, Readable.from([Buffer.from(text)]));
    },
  };
}

/** Looks the token up when it is first needed. */
function lazyAgent(make: () => Promise<FakeAgent>): FakeAgent {
  let made: Promise<FakeAgent> | undefined;
  const agent = (): Promise<FakeAgent> => (made ??= make());
  return {
    request: async (...args) => (await agent()).request(...args),
    report: async (...args) => (await agent()).report(...args),
  };
}

/** The events of an instance that runs through and ends well. */
export const runsThrough = (at: number): readonly TaskEvent[] => [
  { type: "phase", at, phase: "downloading" },
  { type: "phase", at: at + 1_000, phase: "running" },
  { type: "output", lines: [{ at: at + 2_000, text: "#quality_metric: host=algo-1, test msd <loss>=6.25" }] },
  { type: "phase", at: at + 3_000, phase: "uploading" },
  { type: "phase", at: at + 4_000, phase: "exited" },
  { type: "end", at: at + 4_000, end: { how: "exited", exitCode: 0, startedAt: at + 1_000, endedAt: at + 3_000 } },
];

/** The request of the k-means notebook (contracts §1), on small terms. */
export const kmeansJob = (name: string, instances = 2): Input<"CreateTrainingJob"> => ({
  TrainingJobName: name,
  AlgorithmSpecification: { TrainingImage: kmeansImage, TrainingInputMode: "File" },
  RoleArn: roleArn,
  HyperParameters: { k: "10", feature_dim: "784" },
  InputDataConfig: [
    {
      ChannelName: "train",
      DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://bucket/data" } },
    },
  ],
  OutputDataConfig: { S3OutputPath: "s3://bucket/output" },
  ResourceConfig: { InstanceCount: instances, InstanceType: "ml.c4.xlarge", VolumeSizeInGB: 50 },
  StoppingCondition: { MaxRuntimeInSeconds: 3_600 },
});
