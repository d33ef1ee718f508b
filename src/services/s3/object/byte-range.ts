// The Range header: RFC 9110 section 14.2. S3 serves one range; of several, or of nonsense, it takes no notice.
import { AwsError } from "../../../lib/aws-error.ts";

export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

const fromStart = /^bytes=(\d+)-(\d*)$/;
const fromEnd = /^bytes=-(\d+)$/;

/** Undefined: the whole object. Throws InvalidRange where nothing of it is there. */
export function byteRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const range = requestedRange(header.trim(), sizeBytes);
  if (range && (range.start >= sizeBytes || range.start > range.end)) throw unsatisfiable(header, sizeBytes);
  return range;
}

function requestedRange(header: string, sizeBytes: number): ByteRange | undefined {
  const suffix = fromEnd.exec(header)?.[1];
  if (suffix !== undefined) return { start: Math.max(0, sizeBytes - Number(suffix)), end: sizeBytes - 1 };
  const [, first, last] = fromStart.exec(header) ?? [];
  if (first === undefined) return undefined;
  if (!last) return { start: Number(first), end: sizeBytes - 1 };
  // Backwards is nonsense, unlike a start behind the end of the object.
  if (Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Math.min(Number(last), sizeBytes - 1) };
}

const unsatisfiable = (header: string, sizeBytes: number): AwsError =>
  new AwsError("InvalidRange", "The requested range is not satisfiable", {
    fields: { RangeRequested: header, ActualObjectSize: sizeBytes },
    headers: { "Content-Range": `bytes */${sizeBytes}` },
  });
