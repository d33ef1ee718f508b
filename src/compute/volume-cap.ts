// Every task's volume under one roof: what the machine's owner lets any task take, whatever VolumeSizeInGB its job asked for.
import type { ComputeBackend } from "./backend.ts";

/** The backend, with `diskBytes` of the tasks it starts at `capBytes` at most; also of tasks that name no volume. */
export const withVolumeCap = (backend: ComputeBackend, capBytes: number | undefined): ComputeBackend =>
  capBytes === undefined
    ? backend
    : {
        name: backend.name,
        get features() {
          return backend.features;
        },
        hasImage: (names) => backend.hasImage(names),
        start: (task) => backend.start({ ...task, diskBytes: Math.min(task.diskBytes ?? capBytes, capBytes) }),
        inspect: (key) => backend.inspect(key),
        stop: (key, graceSeconds) => backend.stop(key, graceSeconds),
        remove: (key) => backend.remove(key),
        list: () => backend.list(),
      };
