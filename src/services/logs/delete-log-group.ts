import { AwsError } from "../../lib/aws-error.ts";
import { operation } from "./context.ts";
import { requireGroup } from "./groups.ts";

export const deleteLogGroup = operation("DeleteLogGroup", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    if (group.is_protected !== 0)
      throw new AwsError("ValidationException", "The log group has deletion protection enabled.");
    // Its lines may be millions: the sweeper removes them.
    await tx
      .insertInto("log_garbage")
      .columns(["stream_id"])
      .expression((eb) => eb.selectFrom("log_streams").select("id").where("group_id", "=", group.id))
      .execute();
    await tx.deleteFrom("log_streams").where("group_id", "=", group.id).execute();
    await tx.deleteFrom("log_groups").where("id", "=", group.id).execute();
  });
});
