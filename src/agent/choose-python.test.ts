import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { PythonNeeds } from "../task/task.ts";
import { choosePythons, findPythons, type FoundPython } from "./choose-python.ts";

const needs: PythonNeeds = {
  name: "scikit-learn",
  asked: "1.2-1-cpu-py3",
  releases: [
    { version: "1.2.1", packages: ["scikit-learn==1.2.1"], pythons: ["3.8", "3.11"] },
    { version: "1.4.2", packages: ["scikit-learn==1.4.2"], pythons: ["3.9", "3.12"] },
  ],
};
const choosePython = (wanted: PythonNeeds, pythons: readonly FoundPython[]) => choosePythons(wanted, pythons)[0];
const python = (version: string) => ({ path: `/usr/bin/python${version}`, version });

test("the nearest release that a Python here can install is chosen, and said", () => {
  expect(choosePython(needs, [python("3.12"), python("3.10")])).toMatchObject({
    wish: { name: "scikit-learn-1.2.1", packages: ["scikit-learn==1.2.1"], python: "/usr/bin/python3.10" },
    note: "Framework asked for: scikit-learn 1.2-1-cpu-py3; used: scikit-learn 1.2.1 on Python 3.10",
  });
  expect(choosePython(needs, [python("3.12")])).toMatchObject({
    wish: { name: "scikit-learn-1.4.2" },
    note: "Framework asked for: scikit-learn 1.2-1-cpu-py3; used: scikit-learn 1.4.2 on Python 3.12",
  });
});

test("what the system has in the release's version is not downloaded again", () => {
  const prefix = mkdtempSync(join(tmpdir(), "salvia-system-"));
  onTestFinished(() => rmSync(prefix, { recursive: true, force: true }));
  mkdirSync(join(prefix, "lib/python3/dist-packages/torch-1.13.0a0+gitunknown.egg-info"), { recursive: true });
  mkdirSync(join(prefix, "bin"));
  writeFileSync(join(prefix, "bin/python3.11"), "");
  symlinkSync("python3.11", join(prefix, "bin/python3"));
  const torch: PythonNeeds = {
    name: "pytorch",
    asked: "1.13.1-cpu-py39",
    releases: [
      { version: "1.13.1", packages: ["torch==1.13.1", "numpy==1.21.6", "gunicorn==23.0.0"], pythons: ["3.7", "3.11"] },
    ],
    fromSystem: { distribution: "torch", brings: ["torch", "numpy"] },
  };
  const pythons = findPythons([join(prefix, "bin")]);
  expect(choosePython(torch, pythons)).toMatchObject({
    wish: { name: "pytorch-1.13.0-of-the-system", packages: ["gunicorn==23.0.0"], seesSystem: true },
    note: expect.stringContaining("used: pytorch 1.13.1 on Python 3.11, with the system's torch"),
  });
  const newer = { ...torch, releases: torch.releases.map((release) => ({ ...release, version: "2.1.2" })) };
  expect(choosePython(newer, pythons)?.wish).toMatchObject({
    name: "pytorch-2.1.2",
    packages: torch.releases[0]?.packages,
  });
});

test("the others come after it: the same release on another Python first, then the next release", () => {
  const all = choosePythons(needs, [python("3.12"), python("3.11"), python("3.9")]);
  expect(all.map(({ release, version }) => `${release} on ${version}`)).toEqual([
    "scikit-learn 1.2.1 on 3.11",
    "scikit-learn 1.2.1 on 3.9",
    "scikit-learn 1.4.2 on 3.12",
    "scikit-learn 1.4.2 on 3.11",
    "scikit-learn 1.4.2 on 3.9",
  ]);
});

test("what no Python here can install is refused with what it needs", () => {
  expect(() => choosePython(needs, [python("3.14")])).toThrow(
    "scikit-learn 1.2-1-cpu-py3 cannot be installed on the Pythons of this machine (3.14): 1.2.1 needs Python 3.8 to 3.11; 1.4.2 needs",
  );
  expect(() => choosePython({ ...needs, releases: [] }, [python("3.11")])).toThrow("SALVIA_FRAMEWORK_STRICT");
});

test("Pythons are found by name and version, each once, python3 itself first", () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-pythons-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["python3.9", "python3.11", "python3.11-config", "python2.7"])
    writeFileSync(join(folder, name), "");
  symlinkSync("python3.11", join(folder, "python3"));
  expect(findPythons([folder, join(folder, "none")])).toEqual([
    expect.objectContaining({ path: join(folder, "python3"), version: "3.11" }),
    expect.objectContaining({ path: join(folder, "python3.9"), version: "3.9" }),
  ]);
});
