// Search's NextToken names the last hit by its sort value, so it survives inserts; it belongs to one query.
import { createHash } from "node:crypto";
import { validationError } from "../../../lib/aws-error.ts";
import type { SearchRequest } from "../../../models/generated/sagemaker.ts";

export interface SearchPosition {
  readonly value: string | number;
  readonly uid: string;
}

function queryHash(request: SearchRequest): string {
  const { NextToken: _, MaxResults: __, ...query } = request;
  return createHash("sha256").update(JSON.stringify(query)).digest("base64url").slice(0, 12);
}

export const searchToken = (request: SearchRequest, { value, uid }: SearchPosition): string =>
  Buffer.from(JSON.stringify([queryHash(request), value, uid])).toString("base64url");

export function readSearchToken(request: SearchRequest): SearchPosition | undefined {
  if (request.NextToken === undefined) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(request.NextToken, "base64url").toString());
  } catch {
    parts = undefined;
  }
  const [query, value, uid] = Array.isArray(parts) ? (parts as unknown[]) : [];
  const isSound = (typeof value === "string" || typeof value === "number") && typeof uid === "string";
  if (!isSound || query !== queryHash(request))
    throw validationError("Invalid NextToken: it is malformed, or belongs to a request with other parameters.");
  return { value, uid };
}
