// An operation on its way to a decision, and what it needs: actions on resources, and what its input says about them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
import type { OperationModel } from "../../../models/index.ts";

export interface NeededAccess {
  /** e.g. s3:GetObject */
  readonly action: string;
  readonly resource: string;
  /** The bucket whose policy has a say. */
  readonly bucket?: string;
  /** Of S3, the object that `s3:ExistingObjectTag` asks about. */
  readonly key?: string;
  /** Of S3: the access is to what the same request writes, so no object that is there has a say. */
  readonly isOfNewObject?: boolean;
  /** Of ECR, whose policy has a say. */
  readonly repository?: { readonly account: string; readonly region: string; readonly name: string };
  /** The role whose trust policy has a say. */
  readonly trustOf?: string;
  /** Condition keys, in lower case. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

export interface OperationCall {
  readonly operation: OperationModel;
  readonly input: Readonly<Record<string, unknown>>;
  readonly account: string;
  readonly region: string;
  /** Who calls; IAM's operations on oneself name nobody. */
  readonly callerArn: string;
}

type Input = OperationCall["input"];

export const textOf = (input: Input, member: string): string | undefined => {
  const value = input[member];
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** aws:RequestTag/… and aws:TagKeys of an input's Tags (or tags), in either of AWS's forms. */
export function tagKeys(input: Input): Record<string, readonly string[]> {
  const given = input["Tags"] ?? input["tags"];
  const names = input["TagKeys"] ?? input["tagKeys"];
  const keys: Record<string, readonly string[]> = {};
  if (Array.isArray(names)) keys["aws:tagkeys"] = names.map(String);
  if (typeof given !== "object" || given === null) return keys;
  const pairs: [string, string][] = Array.isArray(given)
    ? // Validated by the model.
      (given as { readonly Key: string; readonly Value?: string }[]).map(({ Key, Value = "" }) => [Key, Value])
    : Object.entries(given as Record<string, string>);
  if (pairs.length === 0) return keys;
  for (const [name, value] of pairs) keys[`aws:requesttag/${name.toLowerCase()}`] = [value];
  keys["aws:tagkeys"] = pairs.map(([name]) => name);
  return keys;
}
