// The embedded store: node:sqlite in WAL mode, synchronous=FULL, with group commit.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { migrate } from "../migrate.ts";
import type { Store, Writer } from "../store.ts";
import { kyselyOn } from "./sqlite-driver.ts";

export interface SqliteStoreOptions {
  /** A path, or ":memory:" for tests. */
  readonly file: string;
  readonly clock: Clock;
}

interface Work {
  run(tx: Writer): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Done = () => void;

/** Works in one transaction; more would make the first of them wait for the last. */
const maxGroup = 512;

class SqliteStore implements Store {
  readonly read: Writer;
  readonly #database: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #writer: Writer;
  #hasSnapshot = false;
  #queue: Work[] = [];
  #running: Promise<void> | undefined;

  constructor(database: DatabaseSync, reader: DatabaseSync) {
    this.#database = database;
    this.#reader = reader;
    this.#writer = kyselyOn(database);
    this.read = reader === database ? this.#writer : kyselyOn(reader, () => this.#openSnapshot());
  }

  /** Reads of one turn of the loop share a snapshot: each by itself would take and give back SQLite's file locks. */
  #openSnapshot(): void {
    if (this.#hasSnapshot) return;
    this.#reader.exec("begin");
    this.#hasSnapshot = true;
    setImmediate(() => this.#closeSnapshot());
  }

  #closeSnapshot(): void {
    if (!this.#hasSnapshot) return;
    this.#hasSnapshot = false;
    this.#reader.exec("commit");
  }

  write<T>(work: (tx: Writer) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject });
      this.#running ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#running;
    this.#closeSnapshot();
    if (this.#reader !== this.#database) this.#reader.close();
    this.#database.close();
  }

  async #drain(): Promise<void> {
    // Everything that asks in this turn of the loop joins the group.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      await this.#commitGroup(this.#queue.splice(0, maxGroup));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#running = undefined;
  }

  async #commitGroup(group: readonly Work[]): Promise<void> {
    const done: Done[] = [];
    try {
      this.#database.exec("begin immediate");
      for (const work of group) done.push(await this.#attempt(work));
      this.#database.exec("commit");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("rollback");
      // Nothing of the group is on disk, so nobody may be told that it is.
      for (const work of group) work.reject(error);
      return;
    }
    // Whoever is answered now must not read what was there before.
    this.#closeSnapshot();
    for (const answer of done) answer();
  }

  async #attempt(work: Work): Promise<Done> {
    this.#database.exec("savepoint work");
    try {
      const value = await work.run(this.#writer);
      this.#database.exec("release work");
      return () => work.resolve(value);
    } catch (error) {
      // A full disk makes SQLite drop the whole transaction: then the group fails, not this work alone.
      if (!this.#database.isTransaction) throw error;
      this.#database.exec("rollback to work");
      this.#database.exec("release work");
      return () => work.reject(error);
    }
  }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false, timeout: 5_000 });
  database.exec(
    "pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory; pragma cache_size = -65536",
  );
  return database;
}

/** Opens (and migrates) the database; rejects with a sentence for people when the file cannot be used. */
export async function openSqliteStore({ file, clock }: SqliteStoreOptions): Promise<Store> {
  const inMemory = file === ":memory:";
  if (!inMemory) mkdirSync(dirname(file), { recursive: true });
  const database = open(file);
  const reader = inMemory ? database : open(file);
  const store = new SqliteStore(database, reader);
  await migrate(store, clock);
  return store;
}
