// bin/salvia.js as a user's shell runs it: whatever the Node, with and without what it needs beside it.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const root = dirname(import.meta.dirname);

/** What makes a Node believe that it is an old one. */
const oldNode = [
  "--import",
  `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.1" } })`,
  )}`,
];

/** A checkout of its own: the launcher, and a program in place of Salvia. */
function checkout(program: string, hasNode: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-launcher-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, "bin"), join(folder, "bin"), { recursive: true });
  mkdirSync(join(folder, "dist"));
  writeFileSync(join(folder, "package.json"), `{"type":"module"}`);
  writeFileSync(join(folder, "dist", "salvia.js"), program);
  if (hasNode) {
    mkdirSync(join(folder, "node_modules", "node", "bin"), { recursive: true });
    symlinkSync(process.execPath, join(folder, "node_modules", "node", "bin", "node"));
  }
  return join(folder, "bin", "salvia.js");
}

const run = (args: readonly string[]) => spawnSync(process.execPath, args, { encoding: "utf8", timeout: 30_000 });

const tellsAll = `process.stdout.write(JSON.stringify(process.argv.slice(2))); process.exitCode = 3;`;
const given = ["serve", "--data", "a folder", "--", "$HOME"];

test("arguments reach the program as they are, and its exit status comes back", () => {
  const { stdout, status } = run([checkout(tellsAll, false), ...given]);
  expect(JSON.parse(stdout)).toEqual(given);
  expect(status).toBe(3);
});

test("an old Node hands over to the one that npm brought along, arguments and exit status too", () => {
  const { stdout, status } = run([...oldNode, checkout(tellsAll, true), ...given]);
  expect(JSON.parse(stdout)).toEqual(given);
  expect(status).toBe(3);
});

test("an old Node alone says what to do", () => {
  const { stderr, status } = run([...oldNode, checkout(tellsAll, false)]);
  expect(stderr).toMatch(/Salvia needs Node 22\.18 or newer, and this is 20\.11\.1\. Run `npm install`/);
  expect(status).toBe(1);
});

test("a signal that ends the program ends the launcher in the same way", async () => {
  const launcher = checkout(`process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);`, true);
  const child = spawn(process.execPath, [...oldNode, launcher], { stdio: "ignore" });
  const signal = await new Promise((resolve) => child.once("exit", (_, name) => resolve(name)));
  expect(signal).toBe("SIGKILL");
});

test("the program of this checkout answers", () => {
  const { stdout, status } = run([join(root, "bin", "salvia.js"), "serve", "--help"]);
  expect(stdout).toContain("--data");
  expect(status).toBe(0);
});
