// An instance of a job as CloudWatch knows it.
import type { ResourceRow } from "../../../database/resources.ts";
import type { TaskOwner, TaskRow } from "../tasks/task-owner.ts";
import { instanceOf } from "./job-kind.ts";
import { hostName } from "./job-network.ts";

/** Dimension Host: `<job>/algo-1`. */
export const hostOf = (task: TaskRow, owner: ResourceRow): string => `${owner.name}/${hostName(instanceOf(task))}`;

/** `<job>/algo-1-<milliseconds of its start>` in the kind's log group. */
export const logStreamIn =
  (group: string): TaskOwner["logStream"] =>
  (task, owner) => ({ group, stream: `${hostOf(task, owner)}-${task.created_at}` });
