// The folders and files that every program finds below /opt/ml, whatever runs it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TaskSpec } from "../../task/task.ts";
import { inside } from "../planned-path.ts";

const folders = ["input/config", "input/data", "model", "output/data", "code"];

/** Safe to repeat. */
export function writeContract(
  { configFiles, configFolder = "input/config", uploads = [] }: TaskSpec,
  root: string,
): void {
  for (const folder of [...folders, configFolder, ...uploads.map((each) => each.folder)])
    mkdirSync(inside(root, folder), { recursive: true });
  for (const [name, text] of Object.entries(configFiles)) writeFileSync(join(root, configFolder, name), text);
}
