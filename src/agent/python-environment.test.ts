import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { ensurePython, pythonFolder } from "./python-environment.ts";

let environments = "";
let lines: string[] = [];

beforeEach(() => {
  environments = mkdtempSync(join(tmpdir(), "salvia-python-test-"));
  lines = [];
});
afterEach(() => rmSync(environments, { recursive: true, force: true }));

const options = (signal = new AbortController().signal) => ({
  environments,
  clock: systemClock,
  signal,
  tell: (line: string) => void lines.push(line),
});

/** A python3 whose venv has a pip that says what a real one would, and counts how often it was made. */
function fakePython(pipExit = 0): string {
  const path = join(environments, "python3");
  const folder = pythonFolder(environments, { name: "fake", packages: ["x==1"] });
  writeFileSync(
    path,
    `#!/bin/sh
echo made >> ${environments}/made
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "Collecting $6"; echo "ERROR: no such package" >&2; exit ${pipExit}\\n' > "$3/bin/python"
printf '#!${folder}/bin/python3.11\\nimport pip\\n' > "$3/bin/pip3"
printf "#!/bin/sh\\n'''exec' ${folder}/bin/python3 \\"\\$0\\" \\"\\$@\\"\\n' '''\\nimport tool\\n" > "$3/bin/tool"
printf '#!/bin/bash\\ntrue\\n' > "$3/bin/other"
chmod +x "$3"/bin/*
`,
  );
  chmodSync(path, 0o755);
  return path;
}

const wanted = { name: "fake", packages: ["x==1"] };
const on = (python: string) => ({ ...wanted, python });

test("several tasks that need it at once make it once, and its progress is told", async () => {
  const python = fakePython();
  await Promise.all([1, 2, 3].map(() => ensurePython(on(python), options())));
  expect(readFileSync(join(environments, "made"), "utf8")).toBe("made\n");
  expect(lines.filter((line) => line.startsWith("Making the Python environment fake"))).toHaveLength(1);
  expect(lines).toContainEqual(expect.stringContaining("is ready after"));
});

test("its scripts find Python on PATH, since tasks see it in another place", async () => {
  await ensurePython(on(fakePython()), options());
  const bin = join(pythonFolder(environments, wanted), "bin");
  expect(readFileSync(join(bin, "pip3"), "utf8")).toBe("#!/usr/bin/env python3\nimport pip\n");
  expect(readFileSync(join(bin, "tool"), "utf8")).toBe("#!/usr/bin/env python3\nimport tool\n");
  expect(readFileSync(join(bin, "other"), "utf8")).toBe("#!/bin/bash\ntrue\n");
});

test("one that cannot be made says why, and is tried again by the next task", async () => {
  await expect(ensurePython(on(fakePython(1)), options())).rejects.toThrow(
    "The Python environment fake could not be made: no such package",
  );
  await ensurePython(on(fakePython()), options());
  expect(readFileSync(join(environments, "made"), "utf8")).toBe("made\nmade\n");
});

test("one whose Python is another since is made again", async () => {
  await ensurePython(on(fakePython()), options());
  const bin = join(pythonFolder(environments, wanted), "bin");
  renameSync(join(bin, "python"), join(bin, "python3.99"));
  symlinkSync("python3.99", join(bin, "python"));
  await ensurePython(on(fakePython()), options());
  expect(readFileSync(join(environments, "made"), "utf8")).toBe("made\nmade\n");
});

test("other packages are another environment", () => {
  expect(pythonFolder(environments, wanted)).not.toBe(pythonFolder(environments, { ...wanted, packages: ["x==2"] }));
});

test("a task that is stopped no longer makes or waits for it", async () => {
  const stopped = AbortSignal.abort(new Error("stopped"));
  await expect(ensurePython(on(fakePython()), options(stopped))).rejects.toThrow("stopped");
});

test("uv makes it where it can; where it cannot, pip does, from the start", async () => {
  const uv = join(environments, "uv");
  writeFileSync(uv, `#!/bin/sh\necho "$1 $2 of uv" >> ${environments}/uv-calls\nexit 2\n`);
  chmodSync(uv, 0o755);
  await ensurePython(on(fakePython()), { ...options(), uv });
  expect(readFileSync(join(environments, "uv-calls"), "utf8")).toBe("venv --seed of uv\n");
  expect(readFileSync(join(environments, "made"), "utf8")).toBe("made\n");
  expect(lines).toContainEqual(expect.stringContaining("trying with pip"));
});
