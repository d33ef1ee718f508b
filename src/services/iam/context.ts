// What IAM's operations are given, and the errors they share.
// Texts: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html#API_GetRole_Errors and what clients print.
import { AwsError } from "../../lib/aws-error.ts";
import type { IamOperations } from "../../models/generated/iam.ts";
import type { Reader } from "../../database/store.ts";
import { operationsOf, type RequestContext } from "../service.ts";
import type { Identity } from "./identity.ts";
import { compilePolicy, PolicyProblem } from "./policy/policy-document.ts";
import { findRole, type RoleRow } from "./roles.ts";

export interface IamContext extends RequestContext {
  readonly identity: Identity;
}

export const operation = operationsOf<IamOperations, IamContext>();

export async function roleNamed(db: Reader, account: string, name: string): Promise<RoleRow> {
  const role = await findRole(db, account, name);
  if (!role) throw new AwsError("NoSuchEntity", `The role with name ${name} cannot be found.`);
  return role;
}

/** Throws MalformedPolicyDocument. */
export function checkPolicyDocument(text: string, sort: "identity" | "trust" | "any"): void {
  try {
    compilePolicy(text, sort);
  } catch (error) {
    if (error instanceof PolicyProblem) throw new AwsError("MalformedPolicyDocument", error.message);
    throw error;
  }
}

/** Documents travel percent-encoded (RFC 3986): https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html */
export const encodedDocument = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

interface Paging {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** A page of `all`, which is sorted by `keyOf`; the marker names the last key that was shown. */
export function pageOf<T>(all: readonly T[], keyOf: (item: T) => string, { Marker, MaxItems }: Paging): Page<T> {
  const after = Marker === undefined ? undefined : Buffer.from(Marker, "base64url").toString("utf8");
  const left = after === undefined ? all : all.filter((item) => keyOf(item) > after);
  const items = left.slice(0, MaxItems ?? 100);
  const last = items.at(-1);
  if (items.length === left.length || last === undefined) return { items, rest: { IsTruncated: false } };
  return { items, rest: { IsTruncated: true, Marker: Buffer.from(keyOf(last), "utf8").toString("base64url") } };
}

/** Rows below a path prefix. */
export const belowPath = <T extends { readonly path: string }>(rows: readonly T[], prefix: string | undefined): T[] =>
  rows.filter((row) => row.path.startsWith(prefix ?? "/"));

const spaces = /\s/g;

/** Sizes of policies leave white space out. */
export const policySize = (text: string): number => text.replace(spaces, "").length;

export const limitExceeded = (message: string): AwsError => new AwsError("LimitExceeded", message);
