// What containers have left in a task's folder, back in the hands of a server that is not root: without that it cannot be removed.
import { connectToEngine } from "../../lib/docker-engine.ts";
import { anyImage, isRoot, ownAgain } from "../../lib/root-errand.ts";
import { readOwnJson, taskPaths } from "../../task/task-folder.ts";
import type { TaskSpec } from "../../task/task.ts";

/** Throws when there is no engine, or none that does it. */
export const reclaimFolder =
  (engineAddress: string | undefined) =>
  async (folder: string): Promise<void> => {
    const engine = connectToEngine(engineAddress);
    if (isRoot() || !engine.mayExist()) return;
    const program = readOwnJson<TaskSpec>(taskPaths(folder).task)?.program;
    const image = await anyImage(engine, program?.kind === "image" ? program.localNames : []);
    if (image === undefined)
      throw new Error("the Docker Engine has no image with which files of containers can be removed");
    await ownAgain(engine, folder, { image, labels: {} });
  };
