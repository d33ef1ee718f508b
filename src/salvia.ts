// Composition root: config → database → storage → services → engine → http. The only file, with cli/, that knows every room.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { algorithms, findAlgorithm } from "./algorithms/index.ts";
import type { ComputeBackend } from "./compute/backend.ts";
import { createDockerBackend } from "./compute/docker/docker-backend.ts";
import { reclaimFolder } from "./compute/docker/reclaim-folder.ts";
import { createProcessBackend } from "./compute/process/process-backend.ts";
import { withVolumeCap } from "./compute/volume-cap.ts";
import { readConfig, type Config } from "./config.ts";
import { claimFolder, FolderProblemError, holdFolder, keepServerFile } from "./data-folder.ts";
import { blobRows } from "./database/blob-rows.ts";
import { openSqliteStore } from "./database/sqlite/sqlite-store.ts";
import { costAnswer, type CostAnswer, type CostQuery } from "./services/sagemaker/index.ts";
import type { Store } from "./database/store.ts";
import { createCapacity } from "./engine/capacity.ts";
import { createEngine, type Chore, type Engine } from "./engine/engine.ts";
import { createMembership, type Membership } from "./engine/membership.ts";
import { createListener } from "./http/listener.ts";
import { createPipeline } from "./http/pipeline.ts";
import { minutes, seconds, systemClock, type Clock } from "./lib/clock.ts";
import { jobRulesOf, pricesFor } from "./job-rules.ts";
import { namedFolder } from "./lib/named-folder.ts";
import { createLog, lineWriter, silentLog, type Log } from "./lib/log.ts";
import { probeNamespaces } from "./lib/probe-namespaces.ts";
import { systemRandom, type Random } from "./lib/random.ts";
import { serverFilePath, writeServerFile } from "./lib/server-file.ts";
import { createModels } from "./models/index.ts";
import { createCloudWatch, type CloudWatch } from "./services/cloudwatch/index.ts";
import { createEcr, repositoryPolicyOf, type Ecr } from "./services/ecr/index.ts";
import { Authoriser, createIam, forgetting, type Identity } from "./services/iam/index.ts";
import { createLogs, type Logs } from "./services/logs/index.ts";
import {
  bucketFacts,
  canonicalUserId,
  createS3,
  listedObject,
  SampleBucketError,
  type S3,
  webhooksOf,
} from "./services/s3/index.ts";
import { createSagemaker } from "./services/sagemaker/index.ts";
import { createSagemakerRuntime } from "./services/sagemaker-runtime/index.ts";
import { createSts } from "./services/sts/index.ts";
import { createFilesystemStorage } from "./storage/filesystem/filesystem-storage.ts";
import { createMountedStorage } from "./storage/mounted/mounted-storage.ts";
import { createSmallBlobStorage } from "./storage/small/small-blob-storage.ts";
import type { BlobStorage } from "./storage/storage.ts";

export interface Salvia {
  readonly url: string;
  stop(): Promise<void>;
}

function processLog(config: Config, clock: Clock): Log {
  return createLog({
    clock,
    level: config.logLevel,
    pretty: process.stderr.isTTY,
    write: lineWriter(process.stderr),
  });
}

const openStore = async (config: Config, clock: Clock, log: Log): Promise<Store> => {
  const { dataFolder, database } = config;
  try {
    if (database !== undefined) {
      // Loaded where it is used: the driver would make every other start slower.
      const { openPostgresStore } = await import("./database/postgres/postgres-store.ts");
      return await openPostgresStore({ url: database, clock, log });
    }
    return await openSqliteStore({ file: join(dataFolder, "salvia.db"), clock });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const where = database === undefined ? ` in ${dataFolder}` : "";
    throw new FolderProblemError(`the database${where} cannot be opened: ${why}`);
  }
};

const openStorage = async (config: Config, store: Store, clock: Clock, random: Random): Promise<BlobStorage> => {
  try {
    const large = await createFilesystemStorage({
      folder: join(config.dataFolder, "blobs"),
      isShared: config.database !== undefined,
      random,
    });
    return createSmallBlobStorage({ large, rows: blobRows(store, clock), clock, random });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FolderProblemError(`the objects in ${config.dataFolder} cannot be opened: ${why}`);
  }
};

const rootKeyOf = ({ rootAccessKeyId, rootSecretAccessKey }: Config) =>
  rootAccessKeyId !== undefined && rootSecretAccessKey !== undefined
    ? { accessKeyId: rootAccessKeyId, secretAccessKey: rootSecretAccessKey }
    : undefined;

/** The identities of a data folder, for commands beside the server. */
export async function openIdentity(config: Config): Promise<{ identity: Identity; close(): Promise<void> }> {
  const log = processLog(config, systemClock);
  const store = await openStore(config, systemClock, log);
  const { identity } = await createIam({
    store,
    clock: systemClock,
    random: systemRandom,
    log,
    accountId: config.accountId,
    rootKey: rootKeyOf(config),
  });
  return { identity, close: () => store.close() };
}

/** What things cost, for commands beside the server. */
export async function openCosts(config: Config) {
  const store = await openStore(config, systemClock, processLog(config, systemClock));
  const prices = await pricesFor(config, store);
  const answer = (account: string, query: (now: Date) => CostQuery): Promise<CostAnswer> => {
    const now = systemClock.now();
    return costAnswer(store.read, { ...query(now), account, now }, prices);
  };
  return { answer, close: () => store.close() };
}

const logsRetention = (logs: Logs): Chore => ({
  name: "remove log lines past their retention",
  everyMs: minutes(5),
  run: () => logs.sweep(),
});

const metricsRetention = (cloudwatch: CloudWatch): Chore => ({
  name: "remove metric points past their retention",
  everyMs: minutes(24 * 60),
  run: () => cloudwatch.sweep(),
});

/** What a server stands on: startSalvia lays it on this machine, startFakeSalvia (salvia.fake.ts) in memory. */
export interface Ground {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly compute: ComputeBackend;
}

const s3Chores = (s3: S3, clock: Clock): readonly Chore[] => [
  { name: "collect garbage of objects", everyMs: seconds(30), run: () => s3.collectGarbage(clock.now()) },
  { name: "sweep blobs without an object", everyMs: minutes(24 * 60), run: () => s3.sweepOrphans(clock.now()) },
  { name: "carry out lifecycles of buckets", everyMs: minutes(60), run: () => s3.sweepLifecycle() },
  { name: "look into the folders of sample buckets", everyMs: seconds(5), run: () => s3.syncSamples() },
  { name: "deliver events of buckets", everyMs: seconds(1), run: () => s3.deliverEvents() },
];

const ecrChores = (ecr: Ecr, clock: Clock): readonly Chore[] => [
  { name: "let go of layers that no image needs", everyMs: minutes(1), run: () => ecr.collectGarbage(clock.now()) },
  { name: "carry out lifecycles of repositories", everyMs: minutes(60), run: () => ecr.sweepLifecycle(clock.now()) },
];

const serverFileOf = (clock: Clock, url: string) => ({
  url,
  pid: process.pid,
  startedAt: clock.now().toISOString(),
});

/** Among the servers of one database; when one is gone, agents find this one. */
const membershipOf = (ground: Ground, url: () => string): Membership =>
  createMembership({
    ...ground,
    url,
    onBeat: (urls) => keepServerFile(ground.config.dataFolder, serverFileOf(ground.clock, url()), urls),
  });

/** Who may do what, by policies of principals, buckets and roles. */
const authoriserOf = ({ store, clock, log }: Ground): Authoriser =>
  new Authoriser({
    store,
    clock,
    log,
    canonicalUserId,
    bucket: (name) => bucketFacts(store.read, name),
    listedObject: (bucket, key, versionId) => listedObject(store.read, bucket, key, versionId),
    repositoryPolicy: (repository) => repositoryPolicyOf(store.read, repository),
  });

const decisionsOf = (authoriser: Authoriser) => ({
  authorise: authoriser.authorise.bind(authoriser),
  authoriseAction: authoriser.authoriseAction.bind(authoriser),
});

/** S3 over the blobs and the folders of sample buckets, which are there before the first request. */
async function openS3(ground: Ground): Promise<{ readonly s3: S3; readonly storage: BlobStorage }> {
  const { config } = ground;
  const storage = createMountedStorage(ground.storage);
  const samples = { buckets: config.sampleBuckets.map(namedFolder), storage };
  const s3 = createS3({
    ...ground,
    storage,
    samples,
    webhooks: webhooksOf(config.s3Webhooks),
    bucketDefaults: config.bucketDefaults,
  });
  try {
    await s3.syncSamples();
  } catch (error) {
    if (error instanceof SampleBucketError) throw new FolderProblemError(error.message);
    throw error;
  }
  return { s3, storage };
}

/** Services, the pipeline before them and the engine that carries their reconcilers; starts nothing. */
export async function assemble(ground: Ground) {
  const { config, clock, random, log, store } = ground;
  const where = { url: "" };
  const late: { engine?: Engine } = {};
  const nudge = (): void => late.engine?.nudge();
  const iam = await createIam({ ...ground, accountId: config.accountId, rootKey: rootKeyOf(config) });
  const authoriser = authoriserOf(ground);
  const { s3, storage } = await openS3(ground);
  const models = createModels();
  const decisions = decisionsOf(authoriser);
  const ecr = await createEcr({ ...ground, models, ...decisions, roles: authoriser, serverUrl: () => where.url });
  const logs = createLogs(ground);
  const cloudwatch = createCloudWatch({ ...ground, announce: (tx, message) => s3.announce(tx, message) });
  const sagemaker = createSagemaker({
    ...ground,
    ...(await jobRulesOf(config, store)),
    storage,
    capacity: createCapacity({ store, clock, limits: { jobs: config.jobInstances, hosting: config.hostingInstances } }),
    objects: s3.objects,
    logs: logs.lines,
    metrics: cloudwatch.metrics,
    identity: iam.identity,
    roles: authoriser,
    algorithms: { find: findAlgorithm, names: algorithms.map((algorithm) => algorithm.name) },
    images: ecr.images,
    server: { url: () => where.url, file: serverFilePath(config.dataFolder) },
    nudge,
  });
  const runtime = createSagemakerRuntime({ ...ground, metrics: cloudwatch.metrics });
  const engine = createEngine({
    store,
    clock,
    random,
    log,
    membership: config.database === undefined ? undefined : membershipOf(ground, () => where.url),
    reconcilers: [...sagemaker.reconcilers, ...cloudwatch.reconcilers, ...logs.reconcilers],
    chores: [
      ...sagemaker.chores,
      ...s3Chores(s3, clock),
      ...ecrChores(ecr, clock),
      logsRetention(logs),
      metricsRetention(cloudwatch),
      ...runtime.chores,
    ],
  });
  late.engine = engine;
  const services = [
    sagemaker.service,
    runtime.service,
    s3.service,
    ecr.service,
    logs.service,
    cloudwatch.service,
    iam.service,
    createSts({ identity: iam.identity }),
  ].map((service) => forgetting(service, authoriser));
  const routes = [...sagemaker.routes, ...ecr.routes];
  const pipeline = { ...ground, models, services, routes, identity: iam.identity, ...decisions, nudge };
  return { services, handle: createPipeline(pipeline), engine, runtime, identity: iam.identity, where };
}

/** The database, the blobs and the tasks of this machine. */
async function layGround(config: Config, clock: Clock, log: Log): Promise<Ground> {
  const random = systemRandom;
  const store = await openStore(config, clock, log);
  if (config.database !== undefined) await claimFolder(config.dataFolder, store, random);
  const storage = await openStorage(config, store, clock, random);
  const entry = [process.execPath, process.argv[1] ?? ""];
  const { dataFolder, dockerHost } = config;
  const makeRemovable = config.compute === "process" ? {} : { makeRemovable: reclaimFolder(dockerHost) };
  const agents = createProcessBackend({ dataFolder, entry, clock, random, log, ...makeRemovable });
  const { taskDiskGigabytes: most } = config;
  const compute = withVolumeCap(openCompute(config, agents, log), most === undefined ? undefined : most * 2 ** 30);
  return { config, clock, random, log, store, storage, compute };
}

/** Where tasks run: our own programs as processes, other images in containers where the setting and the machine allow it. */
function openCompute({ compute, dataFolder, dockerHost }: Config, agents: ComputeBackend, log: Log): ComputeBackend {
  if (compute === "process") return agents;
  const backend = createDockerBackend({ agents, dataFolder, engineAddress: dockerHost, log });
  if (compute === "docker" && !backend.features.has("images"))
    throw new FolderProblemError(`--compute docker: no Docker Engine at ${dockerHost ?? "/var/run/docker.sock"}.`);
  return backend;
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.");

/** Without walls a job can read what the server's user can: then only people of this machine may give jobs. */
function refuseUnwalledJobs({ host, trustsJobs }: Config): void {
  if (isLoopback(host) || trustsJobs) return;
  const walls = probeNamespaces();
  if (walls.works) return;
  throw new FolderProblemError(
    `jobs cannot be walled off here (${walls.reason}), so Salvia does not listen on ${host}. ` +
      "Install bubblewrap, listen on 127.0.0.1, or accept the risk with --trust-jobs.",
  );
}

/** Resolves once the server answers. Rejects with FolderHeldError, FolderProblemError, or the listener's own error. */
export async function startSalvia(config: Config): Promise<Salvia> {
  const clock = systemClock;
  const log = processLog(config, clock);
  refuseUnwalledJobs(config);
  const lock = holdFolder(config);
  const ground = await layGround(config, clock, log);
  const { store, compute } = ground;
  const parts = await assemble(ground);
  const { handle } = parts;
  const listener = createListener({ clock, log, allowedHosts: config.allowedHosts, handle });
  const { port } = await listener.listen(config.host, config.port);
  const url = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`;
  parts.where.url = url;
  writeServerFile(config.dataFolder, serverFileOf(clock, url));
  await parts.engine.start();
  log.info("ready", {
    url,
    data: config.dataFolder,
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
  });
  return {
    url,
    stop: async () => {
      await listener.close(seconds(5));
      await parts.engine.stop();
      await parts.runtime.stop();
      if (config.stopsTasks) for await (const key of compute.list()) await compute.remove(key);
      await store.close();
      lock.release();
    },
  };
}

/** The names of the operations that have a handler, by service; needs no data folder. */
export async function handledOperations(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const folder = mkdtempSync(join(tmpdir(), "salvia-coverage-"));
  try {
    const ground = await layGround(readConfig(["--data", folder], {}), systemClock, silentLog);
    const { services } = await assemble(ground);
    await ground.store.close();
    return new Map(services.map((service) => [service.name, service.operations]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
