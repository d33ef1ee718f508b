import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { NewerDatabaseError } from "../migrate.ts";
import { settingOrMade } from "../settings.ts";
import { describeStore } from "../store.contract.ts";
import type { Store } from "../store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const openIn = (folder: string): Promise<Store> =>
  openSqliteStore({ file: join(folder, "salvia.db"), clock: systemClock });

describeStore("SQLite", () => openIn(folderForTest()));

test("what was written is there after the database is opened again", async () => {
  const folder = folderForTest();
  const first = await openIn(folder);
  const made = await settingOrMade(first, "secret", () => "made once");
  await first.close();
  const second = await openIn(folder);
  expect(await settingOrMade(second, "secret", () => "made twice")).toBe(made);
  await second.close();
});

test("a database of a newer Salvia is refused with a sentence that says what to do", async () => {
  const folder = folderForTest();
  const store = await openIn(folder);
  await store.write((tx) => sql`insert into migrations (name, applied_at) values ('9999-tomorrow', 0)`.execute(tx));
  await store.close();
  await expect(openIn(folder)).rejects.toThrow(NewerDatabaseError);
});
