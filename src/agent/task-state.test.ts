import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLog } from "../lib/log.ts";
import { taskPaths } from "../task/task-folder.ts";
import { openState } from "./task-state.ts";

test("a state that was saved is there for the next agent", () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-state-"));
  try {
    openState(taskPaths(folder), silentLog).save({ step: "running", port: 7 });
    expect(openState(taskPaths(folder), silentLog).current).toEqual({ step: "running", port: 7 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.skipIf(process.getuid?.() !== 0)(
  "on a full disk the state goes on in memory, and on disk as soon as there is space (mounting a small disk needs root)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "salvia-state-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    try {
      const state = openState(taskPaths(folder), silentLog);
      state.save({ step: "releasing" });
      const filler = join(folder, "filler");
      expect(() => writeFileSync(filler, Buffer.alloc(1_000_000))).toThrow(/ENOSPC/);
      state.save({ step: "running" });
      expect(state.current.step).toBe("running");
      expect(openState(taskPaths(folder), silentLog).current.step).toBe("releasing");
      rmSync(filler);
      state.save({ port: 9 });
      expect(openState(taskPaths(folder), silentLog).current).toEqual({ step: "running", port: 9 });
    } finally {
      execFileSync("umount", [folder]);
      rmSync(folder, { recursive: true });
    }
  },
);
