// A consistent copy of the database of a running server, made from outside: VACUUM INTO reads in one transaction.
import { closeSync, fsyncSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { heldUntilKey } from "../hold.ts";

const busyMs = 30_000;

export interface LiveDatabase {
  /** No blob is removed until then; a later call moves it on. */
  holdBlobs(until: Date): void;
  /** Writes the copy to a new file, durably. */
  copyTo(file: string): void;
  close(): void;
}

/** Opens it as it is: an older schema stays what it is. */
export function openLiveDatabase(file: string): LiveDatabase {
  const database = new DatabaseSync(file, { timeout: busyMs });
  return {
    holdBlobs: (until) => {
      const upsert =
        "insert into settings (key, value) values (?, ?) on conflict (key) do update set value = excluded.value";
      database.prepare(upsert).run(heldUntilKey, String(until.getTime()));
    },
    copyTo: (copy) => {
      database.prepare("vacuum into ?").run(copy);
      const handle = openSync(copy, "r");
      fsyncSync(handle);
      closeSync(handle);
    },
    close: () => database.close(),
  };
}

export interface NamedBlobs {
  /** Blobs with a file of their own, sorted. */
  readonly files: readonly string[];
  /** Small blobs that have a name and no row. */
  readonly missing: readonly string[];
}

const naming = ["objects", "object_versions", "upload_parts", "object_pins"];

/** What the rows of a copy need. */
export function namedBlobs(file: string): NamedBlobs {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = new Set(
      database
        .prepare("select name from sqlite_master where type = 'table'")
        .all()
        .map(({ name }) => String(name)),
    );
    const select = naming.filter((table) => tables.has(table)).map((table) => `select blob_id as id from ${table}`);
    const named = `select distinct id from (${select.join(" union all ")}) where id <> '' order by id`;
    const small = tables.has("small_blobs") ? "select id from small_blobs" : "select '' as id";
    const ids = (query: string): string[] =>
      database
        .prepare(query)
        .all()
        .map(({ id }) => String(id));
    return {
      files: ids(`select id from (${named}) where id not in (${small}) and id not like 's%'`),
      missing: ids(`select id from (${named}) where id not in (${small}) and id like 's%'`),
    };
  } finally {
    database.close();
  }
}
