import { expect, test } from "vitest";
import { probeNamespaces } from "../../lib/probe-namespaces.ts";
import type { TaskEnd } from "../../task/report.ts";
import { setUpTask } from "../task-bench.fake.ts";

const kinds = [false, ...(probeNamespaces().works ? [true] : [])];

async function endOf(usesNamespaces: boolean, argv: readonly string[]): Promise<TaskEnd | undefined> {
  const bench = await setUpTask({ usesNamespaces });
  await bench.start("", { purpose: "processing", program: { kind: "command", argv } });
  await bench.untilEnd();
  return bench.server.end();
}

test.each(kinds)("a program that is missing never ran, in words (namespaces: %s)", async (usesNamespaces) => {
  for (const name of ["/no/such/program", "no-such-program"]) {
    const end = await endOf(usesNamespaces, [name, "it's"]);
    expect(end).toMatchObject({ how: "setup-failed" });
    expect(end?.failure).toContain(`CannotStartContainerError. Please make sure the container can be run with`);
    expect(end?.failure).toContain(`exec: "${name}": no such file or directory`);
  }
});

test.each(kinds)("a program that may not be executed never ran (namespaces: %s)", async (usesNamespaces) => {
  const end = await endOf(usesNamespaces, ["/etc/passwd"]);
  expect(end).toMatchObject({ how: "setup-failed" });
  expect(end?.failure).toContain(`exec: "/etc/passwd": permission denied`);
});

test.each(kinds)(
  "a program that ends with the shell's codes has ended by itself (namespaces: %s)",
  async (usesNamespaces) => {
    for (const code of [126, 127]) {
      const end = await endOf(usesNamespaces, ["/bin/sh", "-c", `exit ${code}`]);
      expect(end).toMatchObject({ how: "exited", exitCode: code });
    }
  },
);
