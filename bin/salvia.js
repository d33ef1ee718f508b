#!/usr/bin/env node
// Launcher, plain JavaScript for any Node: finds a Node new enough, then runs the bundle (dist/) or the sources.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const isNewEnough = major > 22 || (major === 22 && minor >= 18);

if (isNewEnough) {
  const bundle = join(root, "dist", "salvia.js");
  const sources = join(root, "src", "main.ts");
  const entry = existsSync(bundle) ? bundle : sources;
  process.argv[1] = entry;
  // Before the first file is read: then the pool stands. Compression takes a thread per core, and files must not wait behind it.
  if (process.argv[2] === "serve") process.env["UV_THREADPOOL_SIZE"] ??= String(cpus().length + 3);
  // Code that was compiled once starts at once the next time.
  const { enableCompileCache } = await import("node:module");
  enableCompileCache(join(root, ".cache", "node"));
  await import(pathToFileURL(entry).href);
} else {
  const candidates = [join(root, "node_modules"), join(root, "..")].map((folder) =>
    join(folder, "node", "bin", "node"),
  );
  const node = candidates.find((candidate) => existsSync(candidate));
  if (node === undefined) {
    process.stderr.write(
      `Salvia needs Node 22.18 or newer, and this is ${process.versions.node}. ` +
        "Run `npm install` in Salvia's folder once: it brings a newer Node along and leaves yours as it is.\n",
    );
    process.exit(1);
  }
  const { status, signal, error } = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  if (error) throw error;
  if (signal) process.kill(process.pid, signal);
  process.exit(status ?? 1);
}
