// Removes points older than CloudWatch keeps any (455 days), and series that have none left and get no more.
import type { Store } from "../../database/store.ts";

const keptMs = 455 * 86_400_000;
const seriesPerTransaction = 200;

export async function sweep(store: Store, now: Date): Promise<void> {
  const floor = now.getTime() - keptMs;
  let after = -1;
  for (;;) {
    const series = await store.read
      .selectFrom("metric_series")
      .select(["id", "last_put_at"])
      .where("id", ">", after)
      .orderBy("id")
      .limit(seriesPerTransaction)
      .execute();
    const last = series.at(-1);
    if (!last) return;
    const ids = series.map(({ id }) => id);
    const silent = series.filter(({ last_put_at }) => last_put_at < floor).map(({ id }) => id);
    await store.write(async (tx) => {
      await tx.deleteFrom("metric_points").where("series_id", "in", ids).where("at", "<", floor).execute();
      if (silent.length > 0)
        // Fed again since it was read: then it stays.
        await tx.deleteFrom("metric_series").where("id", "in", silent).where("last_put_at", "<", floor).execute();
    });
    after = last.id;
  }
}
