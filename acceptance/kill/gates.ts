// Where a program stops until the test lets it go on, so that a kill comes in the moment that matters, however fast the machine is.
// The program says so by a file in its own folder, and is told by another.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { taskPaths } from "../../src/task/task-folder.ts";
import { eventually } from "./eventually.ts";

/** Python's side. */
export const gateFunction = `
import os, time
def gate(name):
    os.makedirs("/opt/ml/output", exist_ok=True)
    open("/opt/ml/output/reached-" + name, "w").close()
    while not os.path.exists("/opt/ml/output/go-" + name): time.sleep(0.01)
`;

export class Gates {
  readonly #tasks: string;

  constructor(dataFolder: string) {
    this.#tasks = join(dataFolder, "tasks");
  }

  #outputs(): string[] {
    const keys = existsSync(this.#tasks) ? readdirSync(this.#tasks) : [];
    return keys.map((key) => join(taskPaths(join(this.#tasks, key)).root, "output"));
  }

  /** Until so many programs stand at the gate. */
  async reached(name: string, programs = 1): Promise<void> {
    const standing = (): number =>
      this.#outputs().filter((output) => existsSync(join(output, `reached-${name}`))).length;
    await eventually(`${programs} programs to reach the gate "${name}"`, () =>
      standing() === programs ? true : undefined,
    );
  }

  /** For the programs that stand there. */
  open(name: string): void {
    for (const output of this.#outputs())
      if (existsSync(join(output, `reached-${name}`))) writeFileSync(join(output, `go-${name}`), "");
  }
}
