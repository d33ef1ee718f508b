// What containers have left in a task's folder, back in the hands of a server that is not root: without that it cannot be removed.
import { connectToEngine } from "../../lib/docker-engine.ts";
import { isRoot, ownAgain } from "../../lib/root-errand.ts";
import { readOwnJson, taskPaths } from "../../task/task-folder.ts";
import type { TaskSpec } from "../../task/task.ts";

/** Throws when the engine does not do it. */
export const reclaimFolder =
  (engineAddress: string | undefined) =>
  async (folder: string): Promise<void> => {
    const engine = connectToEngine(engineAddress);
    if (isRoot() || !engine.mayExist()) return;
    const program = readOwnJson<TaskSpec>(taskPaths(folder).task)?.program;
    await ownAgain(engine, folder, { images: program?.kind === "image" ? program.localNames : [], labels: {} });
  };
