// Which releases of a framework could not be installed on which Python of this machine, so that not every job tries in vain. Forgotten
// after a day, and with other settings of pip and uv or another Python.
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import { minutes } from "../lib/clock.ts";
import { readOwnJson } from "../task/task-folder.ts";
import type { ChosenPython } from "./choose-python.ts";
import { pythonFolder } from "./python-environment.ts";
import { replaceFile } from "./task-state.ts";

export interface RefusalOptions {
  /** Where all environments lie. */
  readonly environments: string;
  readonly clock: Clock;
  /** The agent's own, where pip and uv find their settings. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface Refusal {
  readonly python: string;
  readonly settings: string;
  readonly at: number;
  readonly reason: string;
}

const rememberedMs = minutes(24 * 60);

const fileOf = ({ wish, version }: ChosenPython, { environments }: RefusalOptions): string =>
  join(dirname(pythonFolder(environments, wish)), `refused-${version}.json`);

function settingsOf({ wish }: ChosenPython, { environment }: RefusalOptions): string {
  const own = Object.entries(environment).filter(([name]) => /^(?:PIP|UV)_/.test(name));
  const text = JSON.stringify([wish.extraIndex, own.toSorted(([one], [other]) => (one < other ? -1 : 1))]);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Why it could not be installed; undefined where that is not known, or no longer. */
export function refusalOf(chosen: ChosenPython, options: RefusalOptions): string | undefined {
  const found = readOwnJson<Refusal>(fileOf(chosen, options));
  if (!found || found.settings !== settingsOf(chosen, options)) return undefined;
  if (found.python !== realpathSync(chosen.wish.python)) return undefined;
  return options.clock.now().getTime() - found.at < rememberedMs ? found.reason : undefined;
}

export function rememberRefusal(chosen: ChosenPython, reason: string, options: RefusalOptions): void {
  const path = fileOf(chosen, options);
  mkdirSync(dirname(path), { recursive: true });
  const refusal: Refusal = {
    python: realpathSync(chosen.wish.python),
    settings: settingsOf(chosen, options),
    at: options.clock.now().getTime(),
    reason,
  };
  replaceFile(path, JSON.stringify(refusal));
}
