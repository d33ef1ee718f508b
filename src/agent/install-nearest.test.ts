import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { minutes, systemClock } from "../lib/clock.ts";
import type { PythonNeeds } from "../task/task.ts";
import type { ChosenPython } from "./choose-python.ts";
import { installNearest, type InstallOptions } from "./install-nearest.ts";
import { pythonFolder } from "./python-environment.ts";

let folder = "";
let lines: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "salvia-nearest-test-"));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const needs: PythonNeeds = { name: "tool", asked: "1.2-cpu", releases: [] };

/** A release on a python3 whose venv has a pip that says this, and counts how often it was asked. */
function release(version: string, said: string, exitCode: number): ChosenPython {
  const python = join(folder, `python-for-${version}`);
  writeFileSync(
    python,
    `#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho ${version} >> ${folder}/asked\\necho "Collecting tool==${version}"\\necho "${said}"; exit ${exitCode}\\n' > "$3/bin/python"
chmod +x "$3/bin/python"
`,
  );
  chmodSync(python, 0o755);
  return {
    wish: { name: `tool-${version}`, packages: [`tool==${version}`], python },
    release: `tool ${version}`,
    version: "3.11",
    note: `asked: 1.2-cpu; used: ${version}`,
  };
}

const good = (version: string) => release(version, "Installing collected packages: tool", 0);
const unfit = (version: string) => release(version, `ERROR: No matching distribution found for tool==${version}`, 1);
const broken = (version: string) => release(version, "ERROR: [Errno 28] No space left on device", 1);
const asked = (): string[] => {
  const text = existsSync(join(folder, "asked")) ? readFileSync(join(folder, "asked"), "utf8") : "";
  return text.split("\n").slice(0, -1);
};

const options = (more: Partial<InstallOptions> = {}): InstallOptions => ({
  environments: join(folder, "environments"),
  clock: systemClock,
  signal: new AbortController().signal,
  environment: {},
  tell: (line) => void lines.push(line),
  ...more,
});

test("the next release is used where the nearest does not install; the first line says so, the next ones why", async () => {
  const used = await installNearest(needs, [unfit("1.2"), good("1.4"), good("1.0")], options());
  expect(used.release).toBe("tool 1.4");
  expect(lines[0]).toBe("asked: 1.2-cpu; used: 1.4");
  expect(lines).toContain(
    "tool 1.2 on Python 3.11 cannot be installed here: No matching distribution found for tool==1.2",
  );
  expect(lines.filter((line) => line.includes("; used: "))).toHaveLength(1);
  expect(asked()).toEqual(["1.2", "1.4"]);
});

test("what does not install is not tried again, and that is said", async () => {
  await installNearest(needs, [unfit("1.2"), good("1.4")], options());
  lines = [];
  await installNearest(needs, [unfit("1.2"), good("1.4")], options());
  expect(lines).toEqual([
    "asked: 1.2-cpu; used: 1.4",
    "tool 1.2 on Python 3.11 cannot be installed here: No matching distribution found for tool==1.2",
  ]);
  expect(asked()).toEqual(["1.2", "1.4"]);
});

test("a day later, or with other settings of pip, it is", async () => {
  await installNearest(needs, [unfit("1.2"), good("1.4")], options());
  const later = { ...systemClock, now: () => new Date(systemClock.now().getTime() + minutes(25 * 60)) };
  await installNearest(needs, [unfit("1.2"), good("1.4")], options({ clock: later }));
  expect(asked()).toEqual(["1.2", "1.4", "1.2"]);
  const environment = { PIP_INDEX_URL: "http://other" };
  expect((await installNearest(needs, [good("1.2"), good("1.4")], options({ environment }))).release).toBe("tool 1.2");
});

test("what is the disk's or the network's fault fails, and no other release is tried", async () => {
  const made = installNearest(needs, [broken("1.2"), good("1.4")], options());
  await expect(made).rejects.toThrow(
    "The Python environment tool-1.2 could not be made: [Errno 28] No space left on device",
  );
  expect(lines[0]).toBe("asked: 1.2-cpu; used: 1.2");
  expect(asked()).toEqual(["1.2"]);
});

test("where none installs every reason is told, and none is remembered: it may be the index", async () => {
  const all = () => installNearest(needs, [unfit("1.2"), unfit("1.4")], options());
  await expect(all()).rejects.toThrow(
    "ClientError: tool 1.2-cpu cannot be installed on this machine: tool 1.2 on Python 3.11: No matching distribution found for tool==1.2; tool 1.4 on",
  );
  await expect(all()).rejects.toThrow("cannot be installed on this machine");
  expect(asked()).toEqual(["1.2", "1.4", "1.2", "1.4"]);
});

test("strictly, the one that was asked for is tried, and nothing else", async () => {
  const strict = { ...needs, isStrict: true };
  await expect(installNearest(strict, [unfit("1.2")], options())).rejects.toThrow(
    /^ClientError: tool 1\.2-cpu cannot be installed .*tool==1\.2; SALVIA_FRAMEWORK_STRICT allows no other release$/,
  );
});

test("progress is told as it happens, once the release is known to be found", async () => {
  // Its pip goes on only when its line was told.
  const seen = join(folder, "seen");
  const slow = release("1.2", `  Downloading it"; until [ -e ${seen} ]; do sleep 0.05; done; echo "done`, 0);
  const tell = (line: string): void => {
    lines.push(line);
    if (line.includes("Downloading it")) writeFileSync(seen, "");
  };
  await installNearest(needs, [slow, good("1.4")], options({ tell }));
  expect(lines[0]).toBe("asked: 1.2-cpu; used: 1.2");
  expect(lines).toContain("done");
});

test("nothing of a release that is there already is made again", async () => {
  await installNearest(needs, [good("1.2"), good("1.4")], options());
  lines = [];
  const used = await installNearest(needs, [good("1.2"), good("1.4")], options());
  expect(lines).toEqual(["asked: 1.2-cpu; used: 1.2"]);
  expect(existsSync(pythonFolder(join(folder, "environments"), used.wish))).toBe(true);
  expect(asked()).toEqual(["1.2"]);
});
