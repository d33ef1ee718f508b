import { numberId } from "../../lib/number-id.ts";
import { operation } from "./context.ts";
import { streamExists } from "./errors.ts";
import { requireGroup } from "./groups.ts";
import { findStream, insertStream, newStream } from "./streams.ts";

export const createLogStream = operation("CreateLogStream", async (input, ctx) => {
  await ctx.store.write(async (tx) => {
    const group = await requireGroup(tx, ctx, input.logGroupName);
    if (await findStream(tx, group.id, input.logStreamName)) throw streamExists();
    await insertStream(tx, newStream(numberId(ctx.random), group.id, input.logStreamName, ctx.clock.now()));
  });
});
