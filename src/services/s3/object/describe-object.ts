// What GetObject and HeadObject say of an object, whole or in part.
import type { ChecksumMode, GetObjectOutput, HeadObjectOutput } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { checksumMembers } from "../checksums/checksum.ts";
import { invalidArgument, invalidRequest, notImplemented } from "../errors.ts";
import { byteRange, type ByteRange } from "./byte-range.ts";
import { defaultContentType } from "./object-attributes.ts";
import { quoted, type StoredObject } from "./objects.ts";

export interface DescribeRequest {
  readonly Range?: string | undefined;
  readonly PartNumber?: number | undefined;
  readonly ChecksumMode?: ChecksumMode | undefined;
  readonly ResponseCacheControl?: string | undefined;
  readonly ResponseContentDisposition?: string | undefined;
  readonly ResponseContentEncoding?: string | undefined;
  readonly ResponseContentLanguage?: string | undefined;
  readonly ResponseContentType?: string | undefined;
  readonly ResponseExpires?: Date | undefined;
}

export interface Description {
  /** The answer is a 206 where ContentRange is set. */
  readonly output: GetObjectOutput & HeadObjectOutput;
  readonly range: ByteRange | undefined;
}

export function describeObject(object: StoredObject, input: DescribeRequest): Description {
  const range = input.PartNumber === undefined ? byteRange(input.Range, object.sizeBytes) : partRange(object, input);
  const { attributes, tags, parts, sizeBytes } = object;
  return {
    range,
    output: {
      AcceptRanges: "bytes",
      LastModified: object.modifiedAt,
      ETag: quoted(object.eTag),
      ContentLength: range ? range.end - range.start + 1 : sizeBytes,
      ...(range && sizeBytes > 0 && { ContentRange: `bytes ${range.start}-${range.end}/${sizeBytes}` }),
      ...attributes,
      ContentType: attributes.ContentType ?? defaultContentType,
      ...overrides(input),
      ...(tags.length > 0 && { TagCount: tags.length }),
      ...(input.PartNumber !== undefined && parts && { PartsCount: parts.length }),
      ...(input.ChecksumMode?.toUpperCase() === "ENABLED" && shownChecksum(object, input, range)),
    },
  };
}

/** response-cache-control and the like: headers that the client asks for. */
function overrides(input: DescribeRequest): Partial<GetObjectOutput> {
  const wanted = {
    CacheControl: input.ResponseCacheControl,
    ContentDisposition: input.ResponseContentDisposition,
    ContentEncoding: input.ResponseContentEncoding,
    ContentLanguage: input.ResponseContentLanguage,
    ContentType: input.ResponseContentType,
    Expires: input.ResponseExpires?.toUTCString(),
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

/** A checksum of the whole says nothing of a range. */
function shownChecksum(object: StoredObject, { PartNumber }: DescribeRequest, range: ByteRange | undefined): object {
  if (!range) return checksumMembers(object.checksum);
  const part = PartNumber === undefined ? undefined : object.parts?.[PartNumber - 1];
  return checksumMembers(part?.checksum && object.checksum && { ...part.checksum, type: object.checksum.type });
}

/** Parts are counted from one in their order, whatever numbers they were uploaded under. */
function partRange(object: StoredObject, { PartNumber = 1, Range }: DescribeRequest): ByteRange {
  if (Range !== undefined) throw invalidRequest("Cannot specify both Range header and partNumber query parameter");
  if (PartNumber < 1 || PartNumber > 10_000) {
    throw invalidArgument(
      "Part number must be an integer between 1 and 10000, inclusive",
      "partNumber",
      String(PartNumber),
    );
  }
  const parts = object.parts ?? [{ sizeBytes: object.sizeBytes }];
  const part = parts[PartNumber - 1];
  if (!part) {
    throw new AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", {
      httpStatus: 416,
      fields: { PartNumberRequested: PartNumber, ActualPartCount: parts.length },
    });
  }
  const start = parts.slice(0, PartNumber - 1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { start, end: start + part.sizeBytes - 1 };
}

export function refuseCustomerKey(algorithm: string | undefined): void {
  if (algorithm !== undefined) throw notImplemented("encryption with a customer's key");
}
