// One request to /v2/, taken apart: which repository, which kind of thing, which one.
import type { RouteRequest } from "../../service.ts";
import { isDigest, isTag } from "../core/image-name.ts";
import { RegistryError } from "./registry-error.ts";

export type Target =
  | { readonly kind: "base" }
  | { readonly kind: "uploads"; readonly path: string }
  | { readonly kind: "upload"; readonly path: string; readonly id: string }
  | { readonly kind: "blob"; readonly path: string; readonly digest: string }
  | { readonly kind: "manifest"; readonly path: string; readonly reference: string }
  | { readonly kind: "tags"; readonly path: string }
  | { readonly kind: "referrers"; readonly path: string; readonly digest: string };

/** Undefined for paths that the spec does not know. The name may hold any of the words, so the last ones decide. */
export function targetOf(path: string): Target | undefined {
  if (path === "") return { kind: "base" };
  const words = path.split("/");
  const last = words.pop() ?? "";
  const kind = words.pop() ?? "";
  const name = words.join("/");
  switch (kind) {
    case "manifests":
      return { kind: "manifest", path: name, reference: last };
    case "referrers":
      return { kind: "referrers", path: name, digest: last };
    case "tags":
      return last === "list" ? { kind: "tags", path: name } : undefined;
    case "blobs":
      // POST names no upload, with a slash at the end or without.
      return last === "uploads" ? { kind: "uploads", path: name } : { kind: "blob", path: name, digest: last };
    case "uploads":
      if (words.at(-1) !== "blobs") return undefined;
      return uploadTarget(words.slice(0, -1).join("/"), last);
    default:
      return undefined;
  }
}

const uploadTarget = (path: string, id: string): Target =>
  id === "" ? { kind: "uploads", path } : { kind: "upload", path, id };

/** Decoded; undefined for what is no percent-encoding. */
export function decodedPath(rawPath: string): string | undefined {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
}

export function requireDigest(digest: string | null | undefined): string {
  if (digest !== null && digest !== undefined && isDigest(digest)) return digest;
  throw new RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
}

export type Reference = { readonly digest: string } | { readonly tag: string };

/** A tag, or a digest, which has a colon. */
export function requireReference(reference: string): Reference {
  if (reference.includes(":")) return { digest: requireDigest(reference) };
  if (isTag(reference)) return { tag: reference };
  throw new RegistryError(404, "MANIFEST_UNKNOWN", "the reference is neither a tag nor a digest");
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const rangeError = (sizeBytes: number): RegistryError =>
  new RegistryError(416, "RANGE_INVALID", "the range is not within the blob", {
    "content-range": `bytes */${sizeBytes}`,
  });

/** Undefined: all of it. Several ranges at once are answered with all of it, as RFC 9110 allows. */
export function rangeOf({ headers }: Pick<RouteRequest, "headers">, sizeBytes: number): ByteRange | undefined {
  const said = headers["range"]?.trim() ?? "";
  const [, count] = /^bytes=-(\d{1,15})$/.exec(said) ?? [];
  const [, from = "", to = ""] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(said) ?? [];
  if (count === undefined && from === "") return undefined;
  const start = count === undefined ? Number(from) : Math.max(0, sizeBytes - Number(count));
  const end = to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (start > end) throw rangeError(sizeBytes);
  return { start, end };
}

/** Content-Range of a chunk: "0-99", where HTTP's own has a unit and a size. Undefined: not said. Throws where it makes no sense. */
export function chunkRangeOf({ headers }: Pick<RouteRequest, "headers">): ByteRange | undefined {
  const said = headers["content-range"];
  if (said === undefined) return undefined;
  const [, start, end] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(said.trim()) ?? [];
  const range = { start: Number(start), end: Number(end) };
  const length = headers["content-length"];
  const isSound = start !== undefined && end !== undefined && range.end >= range.start;
  if (!isSound) throw new RegistryError(416, "RANGE_INVALID", "Content-Range cannot be read");
  if (length !== undefined && Number(length) !== range.end - range.start + 1)
    throw new RegistryError(416, "SIZE_INVALID", "Content-Range does not fit Content-Length");
  return range;
}
