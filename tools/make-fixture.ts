// Makes src/database/fixtures/<commit>.tar.gz and .json: a server of this very commit with something of everything in it, as a
// backup, and what a client saw on it. Run it once a release, on a clean checkout: node tools/make-fixture.ts COMMIT
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { systemClock } from "../src/lib/clock.ts";
import { everyClient, fillServer, seenOn } from "../src/upgrade.fake.ts";

const [commit = "unnamed"] = process.argv.slice(2);
const root = join(import.meta.dirname, "..");
const main = join(root, "src", "main.ts");
const folder = mkdtempSync(join(tmpdir(), "salvia-fixture-"));
const data = join(folder, "data");
// The keys of every test; no secret of anybody's.
const credentials = {
  accessKeyId: "AKIAEXAMPLE000000000",
  secretAccessKey: "a-secret-of-forty-characters-000000000000",
};
const env = {
  ...process.env,
  SALVIA_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
  SALVIA_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
};
const server = spawn(process.execPath, [main, "serve", "--data", data, "--port", "0", "--stop-tasks"], { env });
let output = "";
server.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
const urlOf = (): string | undefined => /ready at (\S+)/.exec(output)?.[1];
while (urlOf() === undefined) await systemClock.sleep(50);
const clients = everyClient(urlOf() ?? "", credentials);
const madeAt = systemClock.now();
await fillServer(clients, systemClock);
const seen = await seenOn(clients, madeAt);
const tar = join(folder, "copy.tar");
const { status, stderr } = spawnSync(process.execPath, [main, "backup", tar, "--data", data], {
  env,
  encoding: "utf8",
});
if (status !== 0) throw new Error(stderr);
const place = join(root, "src", "database", "fixtures", commit);
mkdirSync(dirname(place), { recursive: true });
writeFileSync(`${place}.tar.gz`, gzipSync(readFileSync(tar), { level: 9 }));
writeFileSync(`${place}.json`, `${JSON.stringify({ madeAt, seen }, undefined, 2)}\n`);
server.kill("SIGTERM");
await new Promise((resolve) => server.once("exit", resolve));
rmSync(folder, { recursive: true, force: true });
