// What an operation needs, whatever its service.
import type { Shape } from "../../../models/index.ts";
import type { NeededAccess, OperationCall } from "./operation-call.ts";
import { otherAccess } from "./other-access.ts";
import { s3Access } from "./s3-access.ts";
import { sagemakerAccess } from "./sagemaker-access.ts";

type Input = OperationCall["input"];

/** Every role that the input hands over, found by the model's shape for roles. */
export function rolesIn(shape: Shape, value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (shape.name === "RoleArn" && typeof value === "string") found.add(value);
  if (typeof value !== "object" || value === null) return found;
  // Parsed by this very shape.
  if (shape.type === "structure")
    for (const [name, member] of shape.members) rolesIn(member.shape, (value as Input)[name], found);
  else if (shape.type === "list")
    for (const each of value as readonly unknown[]) rolesIn(shape.member.shape, each, found);
  else if (shape.type === "map") for (const each of Object.values(value)) rolesIn(shape.value.shape, each, found);
  return found;
}

const passedRoles = ({ operation, input }: OperationCall): NeededAccess[] =>
  [...rolesIn(operation.input, input)].map((role) => ({
    action: "iam:PassRole",
    resource: role,
    keys: { "iam:passedtoservice": ["sagemaker.amazonaws.com"] },
  }));

/** All of it must be allowed. Nothing, where every caller may. */
export function neededAccess(call: OperationCall): readonly NeededAccess[] {
  const { name } = call.operation.service;
  if (name === "s3") return s3Access(call);
  if (name.startsWith("sagemaker")) return [...sagemakerAccess(call), ...passedRoles(call)];
  return otherAccess(call);
}
