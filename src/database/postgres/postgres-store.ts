// The shared store: Postgres through pg. Writes of all servers stand in one line (an advisory lock), so that what a work
// reads stays true until it is committed, as on SQLite; a group shares one turn in that line.
import { DatabaseError, Pool, type PoolClient } from "pg";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { migrate } from "../migrate.ts";
import type { Store, Writer } from "../store.ts";
import { kyselyOn, types } from "./postgres-driver.ts";

export interface PostgresStoreOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Connections of this server: one for writes, the others for reads. */
  readonly maxConnections?: number;
}

interface Work {
  run(tx: Writer): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Done = () => void;

/** Works in one transaction; more would make the first of them wait for the last. */
const maxGroup = 256;
const mostAttempts = 5;

/** A server that hangs inside a transaction must not hold up the others. */
const idleInTransactionMs = 5_000;
const connectMs = 5_000;

// Named by the schema, so that installations that share a database do not wait for each other.
const begin = "begin; select pg_advisory_xact_lock(hashtext('salvia ' || current_schema()))";

/** serialization_failure and deadlock_detected: nothing happened, and the same again may work. */
const isConflict = (error: unknown): boolean =>
  error instanceof DatabaseError && (error.code === "40001" || error.code === "40P01");

class PostgresStore implements Store {
  readonly read: Writer;
  readonly #pool: Pool;
  readonly #writers = new WeakMap<PoolClient, Writer>();
  #queue: Work[] = [];
  #running: Promise<void> | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.read = kyselyOn(pool);
  }

  write<T>(work: (tx: Writer) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject });
      this.#running ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#pool.end();
  }

  async #drain(): Promise<void> {
    // Everything that asks in this turn of the loop joins the group.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#commitGroup(this.#queue.splice(0, maxGroup));
    this.#running = undefined;
  }

  async #commitGroup(group: readonly Work[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const done = await this.#transaction(group);
        for (const answer of done) answer();
        return;
      } catch (error) {
        if (isConflict(error) && attempt < mostAttempts) continue;
        // Nobody may be told that anything of the group is on disk.
        for (const work of group) work.reject(error);
        return;
      }
    }
  }

  async #transaction(group: readonly Work[]): Promise<readonly Done[]> {
    const client = await this.#pool.connect();
    // Also told by the query under way; unheard, it would end the process.
    const ignore = (): void => {};
    client.on("error", ignore);
    let broken: Error | undefined;
    try {
      await client.query(begin);
      const done: Done[] = [];
      const isAlone = group.length === 1;
      for (const work of group) done.push(isAlone ? await this.#run(client, work) : await this.#attempt(client, work));
      await client.query("commit");
      return done;
    } catch (error) {
      await client.query("rollback").catch((why: Error) => {
        broken = why;
      });
      throw error;
    } finally {
      client.off("error", ignore);
      client.release(broken);
    }
  }

  #writerOn(client: PoolClient): Writer {
    const known = this.#writers.get(client);
    if (known) return known;
    const writer = kyselyOn(client);
    this.#writers.set(client, writer);
    return writer;
  }

  async #run(client: PoolClient, work: Work): Promise<Done> {
    const value = await work.run(this.#writerOn(client));
    return () => work.resolve(value);
  }

  /** Behind a savepoint: where the work fails, the others of its group go on. */
  async #attempt(client: PoolClient, work: Work): Promise<Done> {
    await client.query("savepoint work");
    let done: Done;
    try {
      done = await this.#run(client, work);
    } catch (error) {
      if (isConflict(error)) throw error;
      // Where the connection is gone this throws, and the group fails, not this work alone.
      await client.query("rollback to work; release work");
      return () => work.reject(error);
    }
    await client.query("release work");
    return done;
  }
}

/** Opens (and migrates) the database; rejects when it cannot be reached or was written by a newer Salvia. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, clock, log, maxConnections = 10 } = options;
  const pool = new Pool({
    connectionString: url,
    types,
    max: maxConnections,
    connectionTimeoutMillis: connectMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    allowExitOnIdle: true,
    application_name: "salvia",
  });
  // A client that waits in the pool lost its connection: the next query gets another.
  pool.on("error", (error) => log.warn("a connection to the database was lost", { error }));
  const store = new PostgresStore(pool);
  try {
    await migrate(store, clock);
    return store;
  } catch (error) {
    await pool.end();
    throw error;
  }
}
