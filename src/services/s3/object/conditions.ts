// Conditional requests: RFC 9110 section 13, with the precedence that S3 documents for GetObject and CopyObject.
import { AwsError } from "../../../lib/aws-error.ts";
import { noSuchKey, preconditionFailed } from "../errors.ts";
import { quoted, type StoredObject } from "./objects.ts";

export interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

export interface WriteConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

type Known = Pick<StoredObject, "eTag" | "modifiedAt">;

/** `list` is "*" or comma-separated tags, weak or strong, quoted or (as S3 allows) not. */
export function matchesETag(list: string, eTag: string): boolean {
  return list.split(",").some((item) => {
    const text = item.trim();
    return text === "*" || text.replace(/^W\//, "").replace(/^"(.*)"$/, "$1") === eTag;
  });
}

/** HTTP dates have whole seconds. */
const wholeSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** The name of the condition that does not hold; "not modified" where it only says that the client has it already. */
function brokenCondition(object: Known, conditions: ReadConditions): string | undefined {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const modified = wholeSeconds(object.modifiedAt);
  if (IfMatch !== undefined) {
    if (!matchesETag(IfMatch, object.eTag)) return "If-Match";
  } else if (IfUnmodifiedSince && modified > wholeSeconds(IfUnmodifiedSince)) {
    return "If-Unmodified-Since";
  }
  if (IfNoneMatch !== undefined) {
    if (matchesETag(IfNoneMatch, object.eTag)) return "If-None-Match";
  } else if (IfModifiedSince && modified <= wholeSeconds(IfModifiedSince)) {
    return "If-Modified-Since";
  }
  return undefined;
}

/** Throws 304 or 412. */
export function checkReadConditions(object: Known, conditions: ReadConditions): void {
  const broken = brokenCondition(object, conditions);
  if (broken === undefined) return;
  if (broken === "If-Match" || broken === "If-Unmodified-Since") throw preconditionFailed(broken);
  throw new AwsError("NotModified", "Not Modified", {
    httpStatus: 304,
    headers: { ETag: quoted(object.eTag), "Last-Modified": object.modifiedAt.toUTCString() },
  });
}

/** Of the source of a copy: whatever is broken is a 412. */
export function checkCopyConditions(object: Known, conditions: ReadConditions): void {
  const broken = brokenCondition(object, conditions);
  if (broken !== undefined) throw preconditionFailed(`x-amz-copy-source-${broken}`);
}

/** `existing` is what the write would replace. */
export function checkWriteConditions(
  existing: Known | undefined,
  key: string,
  { IfMatch, IfNoneMatch }: WriteConditions,
): void {
  if (IfNoneMatch !== undefined && existing && matchesETag(IfNoneMatch, existing.eTag)) {
    throw preconditionFailed("If-None-Match");
  }
  if (IfMatch === undefined) return;
  if (!existing) throw noSuchKey(key);
  if (!matchesETag(IfMatch, existing.eTag)) throw preconditionFailed("If-Match");
}
