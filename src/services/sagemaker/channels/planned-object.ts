// A planned file as the agent of a task finds its bytes: in a file of this machine, or at the server.
import type { PlannedObject } from "../../../task/channel-plan.ts";
import { taskRoutePrefix } from "../../../task/report.ts";
import type { Objects } from "../context.ts";
import type { PlannedFile, PlannedText } from "./channel-planner.ts";

export function plannedObject(
  objects: Pick<Objects, "localPath">,
  taskKey: string,
  piece: Pick<PlannedFile, "path" | "sizeBytes" | "blobId"> | PlannedText,
  isGzip: boolean,
): PlannedObject {
  if ("text" in piece) {
    const { path, text } = piece;
    return { path, sizeBytes: Buffer.byteLength(text), source: { text }, isGzip: false };
  }
  const { path, sizeBytes, blobId } = piece;
  const local = objects.localPath({ blobId });
  const source = local === undefined ? { url: `${taskRoutePrefix}${taskKey}/objects/${blobId}` } : { file: local };
  return { path, sizeBytes, source, isGzip };
}
