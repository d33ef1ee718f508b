// Real tasks that take too much of the disk: docs/task-disk.md.
import { statSync } from "node:fs";
import { expect, test } from "vitest";
import { canPunchHoles } from "./holes.fake.ts";
import { setUpTask, until } from "./task-bench.fake.ts";

test("a program that fills its volume is ended, and told which limit it met", async () => {
  const bench = await setUpTask();
  await bench.start(
    `const fs = require("fs"); const big = Buffer.alloc(2 ** 20, "x");
     for (let at = 0; at < 12; at++) fs.writeFileSync(process.env.SAGEMAKER_BASE_DIR + "/model/" + at, big);
     console.log("full"); setInterval(() => undefined, 1000);`,
    { diskBytes: 10 * 2 ** 20 },
  );
  await bench.untilEnd();
  expect(bench.server.lines()).toEqual(["full"]);
  expect(bench.server.end()).toMatchObject({
    how: "exited",
    failure:
      "ClientError: The files and the output of the job took more than its volume of 10 MB. Please use a larger VolumeSizeInGB.",
  });
  expect(bench.server.end()?.exitCode).toBeGreaterThan(0);
});

test.skipIf(!canPunchHoles())(
  "a talkative program loses no line, and its log does not keep what the server has (needs fallocate)",
  async () => {
    const bench = await setUpTask();
    await bench.start(
      `const line = (at) => String(at).padStart(8, "0") + "x".repeat(1015) + "\\n";
     for (let at = 0; at < 72; at++)
       require("fs").writeSync(1, Array.from({ length: 1024 }, (_, inner) => line(at * 1024 + inner)).join(""));`,
    );
    await until("the end", () => bench.server.end() !== undefined, 60_000);
    const lines = bench.server.lines();
    expect(lines).toHaveLength(72 * 1_024);
    expect(lines.every((line, at) => Number(line.slice(0, 8)) === at)).toBe(true);
    const { output } = bench.paths();
    expect(statSync(output).size).toBe(72 * 1_048_576);
    await until("less on the disk", () => statSync(output).blocks * 512 < 48 * 1_048_576);
  },
);
