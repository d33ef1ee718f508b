// Data folders of earlier commits under today's code: everything in them is readable, and an endpoint of theirs serves again.
// The fixtures are made by tools/make-fixture.ts and named for the commit that made them.
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "./lib/clock.ts";
import { processKey, runSalvia, serveOn } from "./server-process.fake.ts";
import { everyClient, seenOn, untilInService } from "./upgrade.fake.ts";

const fixtures = globSync(join(import.meta.dirname, "database", "fixtures", "*.tar.gz"));

test("there is a data folder of an earlier commit to open", () => {
  expect(fixtures.length).toBeGreaterThan(0);
});

test.each(fixtures.map((file) => [basename(file, ".tar.gz"), file]))(
  "all that %s stored is readable today",
  async (_commit, file) => {
    const folder = mkdtempSync(join(tmpdir(), "salvia-upgrade-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
    const tar = join(folder, "copy.tar");
    writeFileSync(tar, gunzipSync(readFileSync(file)));
    const data = join(folder, "data");
    expect(await runSalvia(["restore", tar, "--data", data]).ended).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(join(data, "salvia.db"))).toBe(true);
    const server = serveOn(data, "--stop-tasks");
    const clients = everyClient(await server.ready(), processKey);
    const { madeAt, seen } = JSON.parse(readFileSync(file.replace(/tar\.gz$/, "json"), "utf8")) as {
      readonly madeAt: string;
      readonly seen: unknown;
    };
    expect(await seenOn(clients, new Date(madeAt))).toEqual(seen);
    await untilInService(clients, systemClock);
    expect(await server.kill("SIGTERM")).toMatchObject({ code: 0 });
    for (const client of Object.values(clients)) client.destroy();
  },
  60_000,
);
