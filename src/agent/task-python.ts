// The Python of a task of a framework image: chosen once, before anything else is, and the same for its preparation and its program.
import type { HostFacts } from "../task/task-folder.ts";
import { pythonNeedsOf, type TaskSpec } from "../task/task.ts";
import type { ChosenPython } from "./choose-python.ts";
import { StageError } from "./planned-path.ts";

export interface TaskPython extends ChosenPython {
  /** Where its environment will be. */
  readonly folder: string;
  /** Of all environments. */
  readonly environments: string;
}

/** Undefined for a program without needs. A StageError is for the preparation to tell. */
export async function taskPython(
  { program }: Pick<TaskSpec, "program">,
  { bwrap, environments }: HostFacts,
): Promise<TaskPython | StageError | undefined> {
  const needs = pythonNeedsOf(program);
  if (!needs) return undefined;
  // Its programs name /opt/ml, so that a job must have one of its own.
  if (bwrap === undefined || environments === undefined)
    return new StageError(
      "A framework image needs an /opt/ml of its own, which this machine cannot give it: `salvia doctor` says why",
    );
  const { choosePython } = await import("./choose-python.ts");
  const { pythonFolder } = await import("./python-environment.ts");
  try {
    const chosen = choosePython(needs);
    return { ...chosen, folder: pythonFolder(environments, chosen.wish), environments };
  } catch (error) {
    if (error instanceof StageError) return error;
    throw error;
  }
}
