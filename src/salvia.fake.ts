// A whole server for tests, in this process: database in memory, blobs in a temporary folder, tasks that only exist, a clock
// that moves when the test says so, a real listener on a free port.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import { createFakeBackend, type FakeBackend } from "./compute/fake/fake-backend.ts";
import { readConfig } from "./config.ts";
import { openTestStore } from "./database/store.fake.ts";
import type { Store } from "./database/store.ts";
import type { Engine } from "./engine/engine.ts";
import { createListener } from "./http/listener.ts";
import { FakeClock } from "./lib/clock.fake.ts";
import { seconds, systemClock } from "./lib/clock.ts";
import { collectingLog } from "./lib/log.fake.ts";
import type { LogFields } from "./lib/log.ts";
import { seededRandom } from "./lib/random.ts";
import { createModels, type Models, type OperationModel, type ProtocolName, type ServiceName } from "./models/index.ts";
import { encodeRequest } from "./protocols/client.fake.ts";
import { decodeAnswer, decodeError, type DecodedError, type ReceivedAnswer } from "./protocols/decode-answer.fake.ts";
import type { WireRequest } from "./protocols/protocol.ts";
import { signHeaders } from "./protocols/sign-v4.fake.ts";
import { assemble } from "./salvia.ts";
import type { TaskEvent } from "./task/report.ts";
import type { TaskSpec } from "./task/task.ts";
import { createFilesystemStorage } from "./storage/filesystem/filesystem-storage.ts";

export const fakeAccount = "000000000000";
export const fakeRegion = "us-west-2";
export const fakeRootKey = {
  accessKeyId: "AKIAEXAMPLE000000000",
  secretAccessKey: "a-secret-of-forty-characters-000000000000",
};

export interface FakeSalvia {
  readonly url: string;
  readonly clock: FakeClock;
  readonly store: Store;
  readonly models: Models;
  /** Its tasks' reports reach the server as an agent's would. */
  readonly compute: FakeBackend;
  readonly engine: Engine;
  /** Lines of level error. */
  readonly errors: LogFields[];
  /** What an AWS client of the root user is made with; it follows the fake clock. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: typeof fakeRootKey;
    readonly maxAttempts: number;
    readonly forcePathStyle: true;
    readonly systemClockOffset: number;
  };
  /** True where the operation has a handler. */
  handles(operation: OperationModel): boolean;
  /** Signs as root and sends; rejects when no answer came for five seconds. */
  send(request: WireRequest, signingName: string): Promise<ReceivedAnswer>;
  /** The answer's members; throws a FakeCallError for an error. */
  call(service: ServiceName, operation: string, input: object, protocol?: ProtocolName): Promise<Output>;
  /** Runs every due pass until nothing is due. */
  readonly settle: () => Promise<void>;
  stop(): Promise<void>;
}

type Output = Readonly<Record<string, unknown>>;

export class FakeCallError extends Error {
  readonly answer: DecodedError;
  constructor(operation: string, answer: DecodedError) {
    super(`${operation}: ${answer.code}: ${answer.message}`);
    this.answer = answer;
  }
}

const answerTimeoutMs = seconds(5);
const mostRounds = 1_000;

/** Reports to the server, numbered after what it has stored. */
function reporter(store: Store, url: () => string) {
  return async ({ key, server }: TaskSpec, events: readonly TaskEvent[]): Promise<void> => {
    const row = await store.read.selectFrom("tasks").select("sequence").where("key", "=", key).executeTakeFirst();
    const answer = await fetch(`${url()}/_salvia/tasks/${key}/reports`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ sequence: (row?.sequence ?? 0) + 1, events }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the report of ${key} was answered ${answer.status}: ${text}`);
  };
}

/** The transport's own headers. */
const transportHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-length",
  "expect",
  "host",
]);

/** Header values as they can travel: UTF-8, without control characters. Names that are no tokens are left out. */
function sendable(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers).filter(
    ([name]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !transportHeaders.has(name),
  );
  // oxlint-disable-next-line no-control-regex -- these are what a header cannot hold
  return Object.fromEntries(entries.map(([name, value]) => [name, value.replaceAll(/[\0-\x1f\x7f]/g, "").trim()]));
}

const onWire = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString("latin1")]));

/** 20260101T000000Z */
const signingTime = (clock: FakeClock): string =>
  clock
    .now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "");

function sender(pool: Pool, host: string, clock: FakeClock): FakeSalvia["send"] {
  return async ({ method, rawPath, rawQuery, headers, body }, service) => {
    const signed = signHeaders(
      { method, rawPath, rawQuery, headers: { ...sendable(headers), host } },
      { ...fakeRootKey, service, region: fakeRegion, at: signingTime(clock), body },
    );
    const answer = await pool.request({
      method: method as "GET",
      path: rawQuery === "" ? rawPath : `${rawPath}?${rawQuery}`,
      headers: onWire(signed.headers),
      body: body.length > 0 ? body : null,
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const received = new Uint8Array(await answer.body.arrayBuffer());
    return { status: answer.statusCode, headers: answer.headers, body: received };
  };
}

function caller(models: Models, send: FakeSalvia["send"]): FakeSalvia["call"] {
  return async (service, name, input, protocol) => {
    const model = models.serviceModel(service);
    const operation = model.operations.get(name);
    const spoken = protocol ?? model.protocols[0];
    if (!operation || !spoken) throw new Error(`${service} has no operation ${name}`);
    const answer = await send(encodeRequest(operation, spoken, input), model.signingName);
    if (answer.status >= 300) throw new FakeCallError(name, decodeError(answer));
    return decodeAnswer(operation, spoken, answer) as Output;
  };
}

async function layFakeGround(folder: string, clock: FakeClock, errors: LogFields[], url: () => string) {
  const random = seededRandom(1);
  const store = await openTestStore({ clock });
  const settings = { SALVIA_DATA: folder, SALVIA_JOB_INSTANCES: "8", SALVIA_HOSTING_INSTANCES: "8" };
  const { accessKeyId, secretAccessKey } = fakeRootKey;
  const keys = { SALVIA_ROOT_ACCESS_KEY_ID: accessKeyId, SALVIA_ROOT_SECRET_ACCESS_KEY: secretAccessKey };
  const config = readConfig([], { ...settings, ...keys });
  const storage = await createFilesystemStorage({ folder: join(folder, "blobs"), random });
  const compute = createFakeBackend(reporter(store, url));
  return { config, clock, random, log: collectingLog(errors), store, storage, compute };
}

const clientOptions = (endpoint: string, clock: FakeClock): FakeSalvia["client"] => ({
  endpoint,
  region: fakeRegion,
  credentials: fakeRootKey,
  // The second, where time went on by more than a signature lasts.
  maxAttempts: 2,
  forcePathStyle: true,
  systemClockOffset: clock.now().getTime() - systemClock.now().getTime(),
});

/** The engine does not run by itself: `settle` runs it. Whoever starts a server stops it. */
export async function startFakeSalvia(): Promise<FakeSalvia> {
  const folder = await mkdtemp(join(tmpdir(), "salvia-whole-"));
  const clock = new FakeClock();
  const errors: LogFields[] = [];
  const where = { url: "" };
  const ground = await layFakeGround(folder, clock, errors, () => where.url);
  const { services, handle, engine, runtime, where: ownWhere } = await assemble(ground);
  // Connections close by the real time, whatever the test's clock says.
  const listener = createListener({
    clock: systemClock,
    log: ground.log,
    allowedHosts: [],
    // AWS's clients set their clock by this header.
    handle: async (request) => {
      const answer = await handle(request);
      return { ...answer, headers: { date: clock.now().toUTCString(), ...answer.headers } };
    },
  });
  const { port } = await listener.listen("127.0.0.1", 0);
  const url = `http://127.0.0.1:${port}`;
  where.url = ownWhere.url = url;
  const models = createModels();
  const handled = new Map(services.map((service) => [service.name, service.operations]));
  const pool = new Pool(url, { connections: 4 });
  const send = sender(pool, `127.0.0.1:${port}`, clock);
  const { store, compute } = ground;
  return {
    url,
    clock,
    store,
    models,
    compute,
    engine,
    errors,
    send,
    client: clientOptions(url, clock),
    handles: ({ service, name }) => handled.get(service.name)?.has(name) === true,
    call: caller(models, send),
    settle: async () => {
      for (let round = 0; (await engine.runDue()) > 0; round += 1)
        if (round === mostRounds) throw new Error("the engine does not come to rest");
    },
    stop: async () => {
      await pool.close();
      await listener.close(0);
      await engine.stop();
      await runtime.stop();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
