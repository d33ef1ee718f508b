// Removes what nobody owns: rows whose resource is gone, and tasks that run without a row (their agents hear 410 as well).
import { seconds } from "../../../lib/clock.ts";
import type { Chore } from "../../../engine/engine.ts";
import type { SagemakerPlatform } from "../context.ts";
import { deleteTasks, findTask } from "./task-rows.ts";

type Platform = Pick<SagemakerPlatform, "store" | "compute" | "clock" | "log">;

async function deleteOrphanRows({ store, clock, log }: Platform): Promise<void> {
  const orphans = await store.read
    .selectFrom("tasks")
    .selectAll()
    .where("owner_uid", "not in", (eb) => eb.selectFrom("resources").select("uid"))
    .execute();
  if (orphans.length === 0) return;
  await store.write((tx) => deleteTasks(tx, orphans, clock.now()));
  log.info("tasks without an owner were forgotten", { keys: orphans.map((task) => task.key) });
}

export const orphanSweeper = (platform: Platform): Chore => ({
  name: "orphan sweeper",
  everyMs: seconds(15),
  run: async (signal) => {
    const { store, compute, log } = platform;
    await deleteOrphanRows(platform);
    for await (const key of compute.list()) {
      if (signal.aborted) return;
      // Asked after the key was listed: a row is there before its task starts.
      if (await findTask(store.read, key)) continue;
      log.info("a task without a row is removed", { key });
      await compute.remove(key);
    }
  },
});
