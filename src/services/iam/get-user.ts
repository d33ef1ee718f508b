// GetUser. Root is the only user until users are kept.
import { AwsError } from "../../lib/aws-error.ts";
import { operation } from "./context.ts";

export const getUser = operation("GetUser", async ({ UserName }, { store, account, caller }) => {
  if (UserName !== undefined) {
    throw new AwsError("NoSuchEntity", `The user with name ${UserName} cannot be found.`);
  }
  if (!caller.arn.endsWith(":root")) {
    throw new AwsError("ValidationError", "Must specify userName when calling with non-User credentials");
  }
  const oldest = await store.read
    .selectFrom("roles")
    .select((eb) => eb.fn.min("created_at").as("created_at"))
    .where("account", "=", account)
    .executeTakeFirst();
  // The account is as old as the role that it was made with.
  const CreateDate = new Date(oldest?.created_at ?? 0);
  return { User: { Path: "/", UserName: "root", UserId: account, Arn: caller.arn, CreateDate } };
});
