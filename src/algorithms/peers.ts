// Several instances of one job talk over TCP: the first host leads, the others send it one result each. Messages are
// RecordIO-framed records; both sides send a heartbeat, so that a dead peer fails the job instead of hanging it.
import { lookup } from "node:dns/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type DataRecord, decodeRecord, encodeRecord } from "../formats/record-protobuf.ts";
import { encodeRecordIo, RecordIoSplitter } from "../formats/recordio.ts";
import { type Clock, minutes, seconds } from "../lib/clock.ts";
import { ClientError } from "./client-error.ts";
import type { JobLog } from "./job-log.ts";
import type { Hosts } from "./task-folder.ts";

export interface PeerOptions {
  readonly hosts: Hosts;
  /** SALVIA_PEERS (JSON, host → address), SALVIA_PEER_PORT, SALVIA_JOB_TOKEN. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: JobLog;
  /** Aborted when the job is asked to stop: from then on nobody waits for a host that is not there. */
  readonly stop: AbortSignal;
}

const heartbeatMs = seconds(5);
const patienceMs = minutes(2);
const startPatienceMs = minutes(15);
const retryMs = 250;
const reportMs = seconds(10);
/** How long a stopping job waits for a host that is connected: well below the 120 s before SIGKILL. */
const stopPatienceMs = seconds(15);

const kindHello = "hello";
const kindHeartbeat = "heartbeat";
const kindResult = "result";
const kindAccepted = "accepted";

/** The host that gathers: the first by name. */
export const leaderOf = ({ all }: Hosts): string =>
  [...all].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))[0]!;

function addressOf(host: string, environment: PeerOptions["environment"]): string {
  const peers = environment["SALVIA_PEERS"];
  if (peers === undefined || peers === "") return host;
  const address = (JSON.parse(peers) as Readonly<Record<string, unknown>>)[host];
  if (typeof address !== "string") throw new ClientError(`SALVIA_PEERS does not name the host ${host}`);
  return address;
}

const portOf = (environment: PeerOptions["environment"]): number => Number(environment["SALVIA_PEER_PORT"] ?? 7891);

/** One connection: records in, records out, and when something was last heard. */
class PeerLine {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #stopBeating: () => void;
  #lastHeardMs: number;

  constructor(
    socket: Socket,
    clock: Clock,
    peer: string,
    onRecord: (record: DataRecord) => void,
    onEnd: (why: string) => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#lastHeardMs = clock.monotonicMs();
    const splitter = new RecordIoSplitter(peer);
    let number = 0;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#lastHeardMs = clock.monotonicMs();
      try {
        for (const bytes of splitter.push(chunk)) onRecord(decodeRecord(bytes, peer, ++number));
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("error", (error) => onEnd(error.message));
    socket.on("close", () => {
      this.#stopBeating();
      onEnd("the connection closed");
    });
    this.#stopBeating = clock.every(heartbeatMs, () => this.#beat());
  }

  send(record: Partial<DataRecord>): void {
    this.#socket.write(encodeRecordIo(encodeRecord(record)));
  }

  /** Sends what is still waiting, then closes. */
  end(): void {
    this.#stopBeating();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #beat(): void {
    if (this.#clock.monotonicMs() - this.#lastHeardMs > patienceMs) {
      this.#socket.destroy(new Error(`nothing was heard for ${patienceMs / 1_000} s`));
      return;
    }
    this.send({ metadata: kindHeartbeat });
  }
}

/** Sleeps until something happens, or for the time given. */
class Wakeable {
  readonly #clock: Clock;
  #sleeping = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#sleeping.abort();
  }

  async sleep(ms: number): Promise<void> {
    const { signal } = this.#sleeping;
    try {
      await this.#clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (signal.aborted) this.#sleeping = new AbortController();
  }
}

/** The first host's end. */
export interface Leader {
  /**
   * The other hosts' results, by host, once all are in. Rejects when one is lost or never comes; a job that was asked to
   * stop goes on without it.
   */
  gather(): Promise<ReadonlyMap<string, DataRecord>>;
  close(): void;
}

class GatheringLeader implements Leader {
  readonly #options: PeerOptions;
  readonly #server: Server;
  readonly #expected: readonly string[];
  readonly #lines = new Set<PeerLine>();
  readonly #connected = new Set<string>();
  readonly #results = new Map<string, DataRecord>();
  readonly #startedMs: number;
  readonly #changes: Wakeable;
  #failure: Error | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#expected = options.hosts.all.filter((host) => host !== options.hosts.current);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on("error", (error) => this.#fail(error));
    this.#changes = new Wakeable(options.clock);
    options.stop.addEventListener("abort", () => this.#changes.wake(), { once: true });
  }

  async listen(): Promise<void> {
    const { hosts, environment } = this.#options;
    const { address } = await lookup(addressOf(hosts.current, environment));
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(portOf(environment), address, resolve);
    });
  }

  async gather(): Promise<ReadonlyMap<string, DataRecord>> {
    const { clock, log, stop } = this.#options;
    let reportedMs = clock.monotonicMs();
    let stopMs: number | undefined;
    for (;;) {
      const missing = this.#expected.filter((host) => !this.#results.has(host));
      if (missing.length === 0) return this.#results;
      if (stop.aborted) {
        stopMs ??= clock.monotonicMs() + stopPatienceMs;
        const isLate = clock.monotonicMs() >= stopMs;
        if (isLate || !missing.some((host) => this.#connected.has(host))) {
          log.warn(`asked to stop: going on without ${missing.join(", ")}`);
          return this.#results;
        }
      } else if (this.#failure) throw this.#failure;
      else this.#checkStarted(missing);
      if (clock.monotonicMs() - reportedMs >= reportMs) {
        reportedMs = clock.monotonicMs();
        log.info(`waiting for ${missing.join(", ")}`);
      }
      await this.#changes.sleep(seconds(1));
    }
  }

  close(): void {
    for (const line of this.#lines) line.end();
    this.#server.close();
  }

  #checkStarted(missing: readonly string[]): void {
    if (this.#options.clock.monotonicMs() - this.#startedMs < startPatienceMs) return;
    const absent = missing.filter((host) => !this.#connected.has(host));
    if (absent.length > 0)
      throw new Error(`${absent.join(", ")} did not connect within ${startPatienceMs / 60_000} minutes`);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#changes.wake();
  }

  #accept(socket: Socket): void {
    let host: string | undefined;
    const line = new PeerLine(
      socket,
      this.#options.clock,
      "a peer",
      (record) => {
        if (record.metadata === kindHello) host = this.#welcome(record, line);
        else if (record.metadata === kindResult && host !== undefined) {
          this.#results.set(host, record);
          line.send({ metadata: kindAccepted });
          this.#changes.wake();
        }
      },
      (why) => {
        this.#lines.delete(line);
        if (host === undefined || this.#results.has(host)) return;
        this.#connected.delete(host);
        this.#fail(new Error(`${host} left before it sent its result: ${why}`));
      },
    );
    this.#lines.add(line);
  }

  /** A stranger is turned away; the job goes on. */
  #welcome(hello: DataRecord, line: PeerLine): string | undefined {
    const { environment, log } = this.#options;
    const host = hello.uid ?? "";
    const isKnown = this.#expected.includes(host) && hello.configuration === (environment["SALVIA_JOB_TOKEN"] ?? "");
    if (!isKnown || this.#connected.has(host)) {
      log.warn("a connection that is not of this job was refused");
      line.destroy();
      return undefined;
    }
    this.#connected.add(host);
    log.info(`${host} is connected`);
    return host;
  }
}

/** Listens on this host's own address. */
export async function openLeader(options: PeerOptions): Promise<Leader> {
  const leader = new GatheringLeader(options);
  await leader.listen();
  return leader;
}

/** Another host's end. */
export interface Follower {
  /**
   * True once the leader has the result; false when the job was asked to stop and the leader cannot be reached.
   * Rejects when the leader is lost.
   */
  send(result: Pick<DataRecord, "features">): Promise<boolean>;
  close(): void;
}

const connected = (address: string, port: number, stop: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, address);
    const giveUp = (): void => void socket.destroy(new Error("asked to stop"));
    stop.addEventListener("abort", giveUp, { once: true });
    socket.once("close", () => stop.removeEventListener("abort", giveUp));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      stop.removeEventListener("abort", giveUp);
      resolve(socket);
    });
    socket.once("error", reject);
  });

/** A connection to the leader; undefined when the job was asked to stop before there was one. */
async function reach({ hosts, environment, clock, log }: PeerOptions, stop: AbortSignal): Promise<Socket | undefined> {
  const leader = leaderOf(hosts);
  const address = addressOf(leader, environment);
  const startedMs = clock.monotonicMs();
  const waiting = new Wakeable(clock);
  stop.addEventListener("abort", () => waiting.wake(), { once: true });
  let reportedMs = startedMs;
  while (!stop.aborted) {
    try {
      return await connected(address, portOf(environment), stop);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (clock.monotonicMs() - startedMs > startPatienceMs) {
        const within = `within ${startPatienceMs / 60_000} minutes`;
        throw new Error(`${leader} could not be reached ${within}: ${why}`, { cause: error });
      }
      if (clock.monotonicMs() - reportedMs > reportMs) {
        reportedMs = clock.monotonicMs();
        log.info(`waiting for ${leader}: ${why}`);
      }
    }
    await waiting.sleep(retryMs);
  }
  return undefined;
}

/** Connects to the leader in the background; it may start later than this host. */
export function joinLeader(options: PeerOptions): Follower {
  const { hosts, environment, clock } = options;
  const leader = leaderOf(hosts);
  const closing = new AbortController();
  let line: PeerLine | undefined;
  const accepted = Promise.withResolvers<boolean>();
  // Whoever calls send() sees the failure; before that nobody listens, and that is fine.
  accepted.promise.catch(() => undefined);
  const joined = reach(options, AbortSignal.any([closing.signal, options.stop])).then((socket) => {
    if (!socket) return undefined;
    line = new PeerLine(
      socket,
      clock,
      leader,
      (record) => record.metadata === kindAccepted && accepted.resolve(true),
      (why) => accepted.reject(new Error(`${leader} was lost: ${why}`)),
    );
    line.send({ metadata: kindHello, uid: hosts.current, configuration: environment["SALVIA_JOB_TOKEN"] ?? "" });
    return line;
  });
  joined.catch(() => undefined);
  /** A leader that is there accepts at once; one that is silent is not worth waiting for. */
  const giveUp = (): void => {
    const given = clock.sleep(stopPatienceMs, closing.signal).then(() => accepted.resolve(false));
    given.catch((error: unknown) => closing.signal.aborted || accepted.reject(error));
  };
  return {
    async send(result) {
      const open = await joined;
      if (!open) return false;
      open.send({ ...result, metadata: kindResult });
      if (options.stop.aborted) giveUp();
      else options.stop.addEventListener("abort", giveUp, { once: true });
      return accepted.promise;
    },
    close() {
      closing.abort();
      line?.end();
    },
  };
}
