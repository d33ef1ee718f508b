import { operation } from "./context.ts";
import { requireGroup } from "./groups.ts";
import { discardStream, requireStream } from "./streams.ts";

export const deleteLogStream = operation("DeleteLogStream", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    const stream = await requireStream(tx, group.id, input.logStreamName);
    await discardStream(tx, stream.id);
  });
});
