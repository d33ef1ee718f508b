import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { canPunchHoles } from "./holes.fake.ts";
import { followOutput } from "./output-follower.ts";
import { spareOutput } from "./spare-output.ts";

function outputFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-output-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "output.log");
}

test.skipIf(!canPunchHoles())(
  "what was read gives its space back, and neither offsets nor later lines change (needs fallocate)",
  async () => {
    const path = outputFile();
    const line = `${"x".repeat(1_023)}\n`;
    writeFileSync(path, line.repeat(1_024));
    const full = statSync(path);
    spareOutput(path, silentLog, 65_536).readUpTo(1_000 * 1_024);
    await expect.poll(() => statSync(path).blocks).toBeLessThan(full.blocks / 10);
    appendFileSync(path, "after\n");
    expect(statSync(path).size).toBe(full.size + 6);
    const follower = followOutput(path, new FakeClock());
    onTestFinished(() => follower.close());
    const batch = follower.next(1_000 * 1_024, true);
    expect(batch?.lines).toHaveLength(25);
    expect(batch?.lines.at(0)).toBe("x".repeat(1_023));
    expect(batch?.lines.at(-1)).toBe("after");
  },
);

test("a little is left alone, and so is what was not read", async () => {
  const path = outputFile();
  const text = "y".repeat(100_000);
  writeFileSync(path, text);
  const spare = spareOutput(path, silentLog, 65_536);
  spare.readUpTo(65_535);
  spare.readUpTo(0);
  expect(readFileSync(path, "utf8")).toBe(text);
});
