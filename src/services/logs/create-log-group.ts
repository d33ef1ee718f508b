import { numberId } from "../../lib/number-id.ts";
import { operation } from "./context.ts";
import { groupExists, invalidParameter } from "./errors.ts";
import { findGroup, insertGroup } from "./groups.ts";
import { newGroup } from "./log-lines.ts";
import { withTags } from "./tags.ts";

export const createLogGroup = operation("CreateLogGroup", async (input, ctx) => {
  if (input.kmsKeyId !== undefined) throw invalidParameter("Encrypting log groups with KMS keys is not implemented.");
  const row = {
    ...newGroup(numberId(ctx.random), ctx, input.logGroupName, ctx.clock.now()),
    log_group_class: input.logGroupClass ?? "STANDARD",
    is_protected: input.deletionProtectionEnabled ? 1 : 0,
    tags: withTags("{}", input.tags ?? {}),
  };
  await ctx.store.write(async (tx) => {
    if (await findGroup(tx, ctx, input.logGroupName)) throw groupExists();
    await insertGroup(tx, row);
  });
});
