// Permissions boundaries of users and roles: a managed policy that borders what they may do.
import { AwsError } from "../../lib/aws-error.ts";
import type { AttachedPermissionsBoundary } from "../../models/generated/iam.ts";
import { requireAttachable } from "./attachment-operations.ts";
import { operation, type IamContext } from "./context.ts";
import { ownerNamed } from "./owners.ts";

export const boundaryOf = (row: {
  readonly permissions_boundary: string | null;
}): AttachedPermissionsBoundary | undefined =>
  row.permissions_boundary === null
    ? undefined
    : { PermissionsBoundaryType: "PermissionsBoundaryPolicy", PermissionsBoundaryArn: row.permissions_boundary };

const put = (
  { store, account }: IamContext,
  kind: "user" | "role",
  name: string,
  arn: string,
): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const { uid } = await ownerNamed(tx, kind, account, name);
    await requireAttachable(tx, account, arn);
    const table = kind === "user" ? "users" : "roles";
    await tx.updateTable(table).set({ permissions_boundary: arn }).where("uid", "=", uid).execute();
    return {};
  });

const remove = ({ store, account }: IamContext, kind: "user" | "role", name: string): Promise<Record<string, never>> =>
  store.write(async (tx) => {
    const { uid } = await ownerNamed(tx, kind, account, name);
    const { numUpdatedRows } = await tx
      .updateTable(kind === "user" ? "users" : "roles")
      .set({ permissions_boundary: null })
      .where("uid", "=", uid)
      .where("permissions_boundary", "is not", null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) {
      throw new AwsError("NoSuchEntity", `The permissions boundary of ${kind} ${name} cannot be found.`);
    }
    return {};
  });

export const permissionsBoundaryOperations = [
  operation("PutUserPermissionsBoundary", async (input, ctx) =>
    put(ctx, "user", input.UserName, input.PermissionsBoundary),
  ),
  operation("PutRolePermissionsBoundary", async (input, ctx) =>
    put(ctx, "role", input.RoleName, input.PermissionsBoundary),
  ),
  operation("DeleteUserPermissionsBoundary", async (input, ctx) => remove(ctx, "user", input.UserName)),
  operation("DeleteRolePermissionsBoundary", async (input, ctx) => remove(ctx, "role", input.RoleName)),
];
