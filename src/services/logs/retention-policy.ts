import { operation } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { requireGroup } from "./groups.ts";

/** PutRetentionPolicy's API page. */
const allowedDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const putRetentionPolicy = operation("PutRetentionPolicy", async (input, ctx) => {
  if (!allowedDays.includes(input.retentionInDays))
    throw invalidParameter(
      `1 validation error detected: Value '${input.retentionInDays}' at 'retentionInDays' failed to satisfy constraint: ` +
        `Member must satisfy enum value set: [${allowedDays.join(", ")}]`,
    );
  await ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    await tx
      .updateTable("log_groups")
      .set({ retention_days: input.retentionInDays })
      .where("id", "=", group.id)
      .execute();
  });
});

export const deleteRetentionPolicy = operation("DeleteRetentionPolicy", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    await tx.updateTable("log_groups").set({ retention_days: null }).where("id", "=", group.id).execute();
  });
});
