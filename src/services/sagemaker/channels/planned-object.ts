// A planned file as the agent of a task finds its bytes: in a file of this machine, or at the server.
import type { PlannedObject } from "../../../task/channel-plan.ts";
import { taskRoutePrefix } from "../../../task/report.ts";
import type { Objects } from "../context.ts";
import type { PlannedFile } from "./channel-planner.ts";

export function plannedObject(
  objects: Pick<Objects, "localPath">,
  taskKey: string,
  { path, sizeBytes, blobId }: Pick<PlannedFile, "path" | "sizeBytes" | "blobId">,
  isGzip: boolean,
): PlannedObject {
  const local = objects.localPath({ blobId });
  const source = local === undefined ? { url: `${taskRoutePrefix}${taskKey}/objects/${blobId}` } : { file: local };
  return { path, sizeBytes, source, isGzip };
}
