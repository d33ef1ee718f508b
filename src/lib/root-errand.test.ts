import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { connectToEngine } from "./docker-engine.ts";
import { addLoopbackAddress, isRoot, ownAgain, runAsRoot } from "./root-errand.ts";

const image = "salvia-test/python:3";
const hasImage = spawnSync("docker", ["image", "inspect", image]).status === 0;
const engine = connectToEngine(process.env["DOCKER_HOST"]);
const about = { images: [image], labels: { "io.salvia.test": "errand" } };
const needs = `(needs root and a Docker Engine with ${image})`;
const rootTest = test.skipIf(!isRoot() || !hasImage);

rootTest(`what others left below a folder becomes its owner's, and nothing that links lead to ${needs}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-errand-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [task, outside] = [join(folder, "task"), join(folder, "outside")];
  for (const each of [task, outside, join(task, "closed")]) mkdirSync(each);
  writeFileSync(join(outside, "file"), "", { mode: 0o600 });
  writeFileSync(join(task, "closed", "secret"), "", { mode: 0o000 });
  symlinkSync(outside, join(task, "link"));
  symlinkSync(join(outside, "file"), join(task, "closed", "link"));
  chmodSync(join(task, "closed"), 0o000);
  chownSync(task, 54_321, 54_322);
  await ownAgain(engine, task, about);
  const of = (...names: string[]) => {
    const { uid, gid, mode } = lstatSync(join(folder, ...names));
    return [uid, gid, mode & 0o700];
  };
  expect(of("task", "closed")).toEqual([54_321, 54_322, 0o700]);
  expect(of("task", "closed", "secret")).toEqual([54_321, 54_322, 0o600]);
  expect(of("task", "link")).toEqual([54_321, 54_322, 0o700]);
  expect(of("outside")).toEqual([0, 0, 0o700]);
  expect(of("outside", "file")).toEqual([0, 0, 0o600]);
  expect(statSync(join(outside, "file")).uid).toBe(0);
});

rootTest(`an address is added to this machine's loopback, and a script that fails says why ${needs}`, async () => {
  const address = "127.99.77.1";
  const isThere = () => Object.values(networkInterfaces()).some((all) => all?.some((each) => each.address === address));
  onTestFinished(() => void spawnSync("ip", ["address", "del", `${address}/32`, "dev", "lo"]));
  expect(isThere()).toBe(false);
  await addLoopbackAddress(engine, address, about);
  expect(isThere()).toBe(true);
  await expect(addLoopbackAddress(engine, "no address", about)).rejects.toThrow(/exit code 1: .*no address/);
});

rootTest(`an errand has the rights that it names, and no others ${needs}`, async () => {
  const errand = { ...about, words: [], capabilities: [], script: "touch /etc/errand" };
  await expect(runAsRoot(engine, { ...errand, script: "chown 1:1 /tmp" })).rejects.toThrow("not permitted");
  await expect(runAsRoot(engine, { ...errand, script: "touch /usr/errand" })).rejects.toThrow("Read-only");
  const left = spawnSync("docker", [
    "ps",
    "-aq",
    "--filter",
    "status=exited",
    "--filter",
    `ancestor=${image}`,
    "--filter",
    "name=errand",
  ]);
  expect(left.stdout.toString()).toBe("");
});
