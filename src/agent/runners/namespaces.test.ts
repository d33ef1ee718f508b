// What a program sees of the machine, with real namespaces where this machine has them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { probeNamespaces } from "../../lib/probe-namespaces.ts";
import { setUpTask, until } from "../task-bench.fake.ts";

const support = probeNamespaces();
const title = (text: string): string => (support.works ? text : `${text} (skipped: ${support.reason})`);

const look = `const fs = require("fs"); const say = (name, value) => console.log(name + " " + JSON.stringify(value));
  const can = (path, how = "readdirSync") => { try { fs[how](path); return true; } catch { return false; } };
  say("hosts", fs.readFileSync("/etc/hosts", "utf8").split("\\n").filter((line) => line.includes("algo")));
  say("opt-ml", fs.readdirSync("/opt/ml").sort());
  say("data", fs.readFileSync("/opt/ml/input/data/train/x", "utf8"));
  say("folder", can(process.env.HIDDEN));
  say("homes", can("/root") || can("/home"));
  say("shadow", can("/etc/shadow", "readFileSync"));
  say("uid", process.getuid());
  say("others", fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length);
  say("caps", /CapEff:\\s+0+$/m.test(fs.readFileSync("/proc/self/status", "utf8")));
  say("cwd", process.cwd());
  fs.writeFileSync("/tmp/mine", "m"); fs.writeFileSync("/opt/ml/model/m", "m"); fs.appendFileSync("/dev/stdout", "stdout true\\n");`;

test.skipIf(!support.works)(
  title("a program sees its own machine: /opt/ml, hosts, /tmp, processes, another user, no data folder"),
  async () => {
    const bench = await setUpTask({ usesNamespaces: true });
    const source = join(bench.folder, "x");
    writeFileSync(source, "bytes", { mode: 0o600 });
    bench.server.plan = {
      channels: [
        {
          name: "train",
          mode: "File",
          objects: [{ path: "x", sizeBytes: 5, source: { file: source }, isGzip: false }],
        },
      ],
      modelArchives: [],
    };
    await bench.start(look, { environment: { HIDDEN: bench.folder, LD_PRELOAD: "" } });
    await bench.untilEnd();
    expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0, modelFiles: ["m"] });
    const seen = Object.fromEntries(
      bench.server.lines().map((line) => [line.split(" ", 1)[0], JSON.parse(line.slice(line.indexOf(" ")))]),
    );
    expect(seen).toMatchObject({
      hosts: ["127.99.2.1 algo-1", "127.99.2.2 algo-2"],
      "opt-ml": ["code", "input", "model", "output"],
      data: "bytes",
      folder: false,
      homes: false,
      shadow: false,
      caps: true,
      stdout: true,
      cwd: "/opt/ml",
    });
    if (process.getuid?.() === 0) expect(seen["uid"]).toBeGreaterThanOrEqual(10_000);
    expect(seen["others"]).toBeLessThan(6);
  },
);

test.skipIf(!support.works)(
  title("SIGTERM reaches the program inside its namespace, and SIGKILL everything in it"),
  async () => {
    const polite = await setUpTask({ usesNamespaces: true });
    const stubborn = await setUpTask({ usesNamespaces: true });
    await polite.start(
      `process.on("SIGTERM", () => { console.log("bye"); process.exit(7); }); console.log("up"); setInterval(() => {}, 1000)`,
    );
    await stubborn.start(
      `process.on("SIGTERM", () => {}); require("child_process").spawn("setsid", ["sleep", "1000"]); console.log("up"); setInterval(() => {}, 1000)`,
    );
    await Promise.all([polite, stubborn].map((bench) => bench.untilLine("up")));
    await Promise.all([polite, stubborn].map((bench) => bench.backend.stop(bench.key, 1)));
    await Promise.all([polite, stubborn].map((bench) => bench.untilEnd()));
    expect(polite.server.lines()).toContain("bye");
    expect(polite.server.end()).toMatchObject({ how: "stopped", exitCode: 7 });
    expect(stubborn.server.end()).toMatchObject({ how: "stopped", signal: "SIGKILL" });
    await until("no process", () => stubborn.processes().length === 0, 3_000);
  },
);

test.skipIf(!support.works)(title("a program whose waiter was killed goes with it, and is lost"), async () => {
  const bench = await setUpTask({ usesNamespaces: true });
  await bench.start(`console.log("up"); setInterval(() => {}, 1000)`);
  await bench.untilLine("up");
  bench.killWaiter();
  await bench.untilEnd();
  expect(bench.server.end()?.how).toBe("lost");
  await until("no process", () => bench.processes().length === 0, 3_000);
});

test.skipIf(!support.works)(title("a running task in namespaces is removed with all its processes"), async () => {
  const bench = await setUpTask({ usesNamespaces: true });
  await bench.start(
    `require("child_process").spawn("setsid", ["sleep", "1000"]); console.log("up"); setInterval(() => {}, 1000)`,
  );
  await bench.untilLine("up");
  await bench.backend.remove(bench.key);
  await until("no process", () => bench.processes().length === 0, 3_000);
});
