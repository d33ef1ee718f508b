// The Python of a task of a framework image: chosen and made before anything else of its program is.
import type { HostFacts } from "../task/task-folder.ts";
import type { PythonNeeds } from "../task/task.ts";
import { choosePythons } from "./choose-python.ts";
import { installNearest, type InstallOptions } from "./install-nearest.ts";
import { StageError } from "./planned-path.ts";
import { pythonFolder } from "./python-environment.ts";

/** Resolves to the folder of its environment. Throws StageError where there can be none. */
export async function taskPython(
  needs: PythonNeeds,
  { bwrap, environments, uv }: HostFacts,
  options: Omit<InstallOptions, "environments" | "uv">,
): Promise<string> {
  // Its programs name /opt/ml, so that a job must have one of its own.
  if (bwrap === undefined || environments === undefined)
    throw new StageError(
      "A framework image needs an /opt/ml of its own, which this machine cannot give it: `salvia doctor` says why",
    );
  const candidates = choosePythons(needs);
  const { wish } = await installNearest(needs, candidates, {
    ...options,
    environments,
    ...(uv === undefined ? {} : { uv }),
  });
  return pythonFolder(environments, wish);
}
