// What tests of sparse output files ask of this machine.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether files below the temporary folder can have holes made in them. */
export function canPunchHoles(): boolean {
  const path = fileOfTwoPages();
  try {
    return spawnSync("fallocate", ["--punch-hole", "--offset", "0", "--length", "4096", path]).status === 0;
  } finally {
    rmSync(join(path, ".."), { recursive: true, force: true });
  }
}

function fileOfTwoPages(): string {
  const path = join(mkdtempSync(join(tmpdir(), "salvia-output-")), "output.log");
  writeFileSync(path, Buffer.alloc(8_192, 1));
  return path;
}
