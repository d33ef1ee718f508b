// How a program is started and what it finds; what it writes and how it ended. Every backend that runs programs keeps it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { until } from "../../agent/task-bench.fake.ts";
import { ask, ended, script, started, type Subject } from "./subject.fake.ts";

export function askPrograms(subject: Subject): void {
  ask(subject, "arguments arrive as they are", async () => {
    const words = ["a  b", "", "*", "$HOME", "it's", 'ü"', "-x", "\\n"];
    const bench = await started(subject, [
      "/bin/sh",
      "-c",
      `for each; do printf '[%s]\\n' "$each"; done`,
      "sh",
      ...words,
    ]);
    await bench.untilEnd();
    expect(bench.server.lines()).toEqual(words.map((word) => `[${word}]`));
    expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
  });

  ask(subject, "the environment arrives as it is, and nothing of the server's comes along", async () => {
    process.env["SALVIA_CONTRACT_SECRET"] = "of the server";
    const values = { SPACED: " a = b ", QUOTED: `it's "so"`, DOLLAR: "$HOME", LINES: "one\ntwo", EMPTY: "" };
    const source = `printf '[%s]\\n' "$SPACED" "$QUOTED" "$DOLLAR" "$LINES" "\${EMPTY-unset}" "\${SALVIA_CONTRACT_SECRET-unset}"`;
    const bench = await ended(subject, source, { environment: values });
    delete process.env["SALVIA_CONTRACT_SECRET"];
    const wanted = ["[ a = b ]", `[it's "so"]`, "[$HOME]", "[one", "two]", "[]", "[unset]"];
    expect(bench.server.lines()).toEqual(wanted);
  });

  ask(
    subject,
    "lines come whole and in order: long ones, bytes that are no UTF-8, the last without its end",
    async () => {
      const source = `i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done
      head -c 20000 /dev/zero | tr '\\0' x; echo; printf '\\377 raw\\n\\n'; printf 'the last'`;
      const { server } = await ended(subject, source);
      const lines = server.lines();
      expect(lines.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, n) => String(n)));
      expect(lines.slice(500)).toEqual(["x".repeat(20_000), "\uFFFD raw", "", "the last"]);
    },
  );

  ask(subject, "stderr is in the log as well", async () => {
    const { server } = await ended(subject, "echo out; echo err >&2");
    expect(server.lines().toSorted()).toEqual(["err", "out"]);
  });

  ask(subject, "the exit code is told, and the program's own words", async () => {
    const { server } = await ended(
      subject,
      `mkdir -p "$base/output"; printf 'no luck' >"$base/output/failure"; exit 7`,
    );
    expect(server.end()).toMatchObject({ how: "exited", exitCode: 7, failure: "no luck" });
  });

  ask(subject, "a program that is not there, or may not be executed, never ran, and the end says so", async () => {
    for (const [path, words] of [
      ["/no/such/program", "no such file or directory"],
      ["/etc/passwd", "permission denied"],
    ] as const) {
      const bench = await started(subject, [path]);
      await bench.untilEnd();
      expect(bench.server.end()).toMatchObject({ how: "setup-failed" });
      expect(bench.server.end()?.failure).toMatch(new RegExp(`CannotStartContainerError.*${words}`, "s"));
    }
  });

  ask(subject, "SIGTERM comes first, and what the program still says and returns counts", async () => {
    const bench = await started(subject, script(`trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done`));
    await bench.untilLine("up");
    await bench.backend.stop(bench.key, 20);
    await bench.untilEnd();
    expect(bench.server.lines()).toEqual(["up", "bye"]);
    expect(bench.server.end()).toMatchObject({ how: "stopped", exitCode: 3 });
  });

  ask(subject, "SIGKILL comes after the grace, for all that the program has started", async () => {
    const bench = await started(subject, script(`trap '' TERM; sleep 1000 & echo up; while :; do sleep 0.05; done`));
    await bench.untilLine("up");
    await bench.backend.stop(bench.key, 1);
    await bench.untilEnd();
    expect(bench.server.end()).toMatchObject({ how: "stopped", signal: "SIGKILL" });
    await expect.poll(bench.processes, { timeout: 10_000 }).toEqual([]);
  });

  ask(subject, "a program that runs too long is ended, and its end says why", async () => {
    const { server } = await ended(subject, "exec sleep 1000", { maxRuntimeSeconds: 1, graceSeconds: 1 });
    expect(server.end()).toMatchObject({ how: "timed-out" });
  });

  ask(subject, "an agent that is killed is followed by another: no line is lost, none is told twice", async () => {
    const source = `i=0; while [ $i -lt 100 ]; do echo $i; i=$((i+1)); sleep 0.01; done
      while ! [ -e "$base/go" ]; do sleep 0.05; done; echo last`;
    const bench = await started(subject, script(source));
    await bench.untilLine("5");
    // Asked for, an agent that is gone gets its successor.
    const looked = async () => (await bench.backend.inspect(bench.key))?.state;
    for (let kills = 0; kills < 2; kills++)
      await until("an agent to kill", async () => (await looked()) !== undefined && bench.killAgent());
    writeFileSync(join(bench.paths().folder, "root", "go"), "");
    await until("the end", async () => (await looked()) !== undefined && bench.server.end() !== undefined);
    expect(bench.server.lines()).toEqual([...Array.from({ length: 100 }, (_, n) => String(n)), "last"]);
    expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
  });

  ask(
    subject,
    "more memory than the instance type has ends the program, where the backend holds it to that",
    async () => {
      const bench = await started(subject, ["python3", "-c", `x = b"x" * ${2 ** 28}; print(len(x))`], {
        memoryBytes: 2 ** 26,
      });
      await bench.untilEnd();
      if (subject.promises.has("memory"))
        expect(bench.server.end()).toMatchObject({
          exitCode: 137,
          failure: expect.stringContaining("use an instance type with more memory") as unknown,
        });
      else expect(bench.server.lines()).toEqual([String(2 ** 28)]);
    },
  );
}
