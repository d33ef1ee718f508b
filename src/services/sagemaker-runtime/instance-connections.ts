// Kept-alive connections to instances, and how many requests each has under way.
import type { Readable } from "node:stream";
import { Pool } from "undici";
import { errorCode } from "../../lib/error-code.ts";
import { minutes, type Clock } from "../../lib/clock.ts";

/** An instance closes idle connections after 5 s or more; we are gone before. */
const idleMs = 4_000;
const connectMs = 2_000;
const forgetAfterMs = minutes(1);

export interface InstanceRequest {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

export interface InstanceAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

interface Connection {
  readonly pool: Pool;
  underWay: number;
  usedAt: number;
}

/** The request did not reach the instance: it may be sent to another. */
export class UnsentError extends Error {}

const unsentCodes: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
]);

const isUnsent = (error: unknown): boolean => unsentCodes.has(errorCode(error) ?? "");

export class InstanceConnections {
  readonly #connections = new Map<string, Connection>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Requests that the instance has not answered to the end. */
  underWay(address: string): number {
    return this.#connections.get(address)?.underWay ?? 0;
  }

  /** POST /invocations. The caller reads the body to its end or destroys it, then calls `done`. Throws UnsentError. */
  async invoke({ address, headers, body, signal }: InstanceRequest): Promise<InstanceAnswer & { done(): void }> {
    const connection = this.#connect(address);
    connection.underWay++;
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      connection.underWay--;
      connection.usedAt = this.#clock.monotonicMs();
    };
    try {
      const answer = await connection.pool.request({
        path: "/invocations",
        method: "POST",
        headers,
        body,
        signal,
        // The router's own limit is on the whole answer.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body, done };
    } catch (error) {
      done();
      if (isUnsent(error)) throw new UnsentError("the instance took no connection", { cause: error });
      throw error;
    }
  }

  /** Closes what nobody has used for a while: instances that are gone. */
  async sweep(): Promise<void> {
    const now = this.#clock.monotonicMs();
    const idle = [...this.#connections].filter(
      ([, connection]) => connection.underWay === 0 && now - connection.usedAt > forgetAfterMs,
    );
    for (const [address] of idle) this.#connections.delete(address);
    await Promise.all(idle.map(([, { pool }]) => pool.close()));
  }

  async close(): Promise<void> {
    const all = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(all.map(({ pool }) => pool.destroy()));
  }

  #connect(address: string): Connection {
    const known = this.#connections.get(address);
    if (known) return known;
    const pool = new Pool(address, {
      connections: 256,
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      connect: { timeout: connectMs },
    });
    const made = { pool, underWay: 0, usedAt: this.#clock.monotonicMs() };
    this.#connections.set(address, made);
    return made;
  }
}
