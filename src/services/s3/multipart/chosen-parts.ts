// Which of an upload's parts make the object, and what follows from them without reading a byte.
import { createHash } from "node:crypto";
import type { CompletedPart, CompleteMultipartUploadRequest } from "../../../models/generated/s3.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import { algorithms, combineChecksums, type StoredChecksum } from "../checksums/checksum.ts";
import { invalidRequest, malformedXml } from "../errors.ts";
import { matchesETag } from "../object/conditions.ts";
import type { Upload, UploadedPart } from "./uploads.ts";

const minPartBytes = 5 * 1024 * 1024;

/** The parts in the order of the object. Throws what S3 says of a list that does not fit what was uploaded. */
export function chosenParts(
  list: readonly CompletedPart[] | undefined,
  uploaded: readonly UploadedPart[],
): readonly [UploadedPart, ...UploadedPart[]] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  // Who names a part twice in a row means what was uploaded last.
  const asked = (list ?? []).filter((part, at, all) => part.PartNumber !== all[at + 1]?.PartNumber);
  const chosen = asked.map((part) => uploadedPart(part, byNumber));
  const [first, ...others] = chosen;
  if (!first) throw malformedXml();
  others.reduce((before, part) => {
    if (part.number > before.number) return part;
    throw new AwsError(
      "InvalidPartOrder",
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
    );
  }, first);
  for (const part of chosen.slice(0, -1)) checkPartSize(part);
  return [first, ...others];
}

function uploadedPart(asked: CompletedPart, byNumber: ReadonlyMap<number, UploadedPart>): UploadedPart {
  const part = byNumber.get(asked.PartNumber ?? 0);
  const isSame = part && matchesETag(asked.ETag ?? "", part.eTag) && hasSameChecksums(asked, part);
  if (isSame) return part;
  throw new AwsError(
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { fields: { PartNumber: asked.PartNumber ?? 0, ETag: asked.ETag ?? "" } },
  );
}

/** What the client says of a part that has no checksum of that algorithm cannot be judged. */
function hasSameChecksums(asked: CompletedPart, { checksum }: UploadedPart): boolean {
  const claimed = checksum && asked[`Checksum${checksum.algorithm}`];
  return claimed === undefined || claimed === checksum?.value;
}

function checkPartSize({ number, sizeBytes, eTag }: UploadedPart): void {
  if (sizeBytes >= minPartBytes) return;
  throw new AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
    fields: { ProposedSize: sizeBytes, MinSizeAllowed: minPartBytes, PartNumber: number, ETag: eTag },
  });
}

/** MD5 of the parts' MD5s, and how many. */
export function combinedETag(parts: readonly UploadedPart[]): string {
  const md5 = createHash("md5");
  for (const part of parts) md5.update(part.eTag, "hex");
  return `${md5.digest("hex")}-${parts.length}`;
}

export function combinedChecksum({ checksum }: Upload, parts: readonly UploadedPart[]): StoredChecksum | undefined {
  if (!checksum) return undefined;
  const digests = parts.map((part) => ({ sizeBytes: part.sizeBytes, value: part.checksum?.value ?? "" }));
  return combineChecksums(checksum.algorithm, checksum.type, digests);
}

/** Compares what the client says of the whole object; a composite value may come without the number of parts. */
export function checkWhole(
  input: CompleteMultipartUploadRequest,
  checksum: StoredChecksum | undefined,
  sizeBytes: number,
): void {
  if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== sizeBytes) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${sizeBytes}`,
    );
  }
  if (input.ChecksumType !== undefined && checksum && input.ChecksumType !== checksum.type) {
    throw invalidRequest(
      `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  for (const algorithm of algorithms) {
    const claimed = input[`Checksum${algorithm}`];
    if (claimed === undefined || checksum?.algorithm !== algorithm) continue;
    if (claimed === checksum.value || claimed === checksum.value.replace(/-\d+$/, "")) continue;
    throw new AwsError(
      "BadDigest",
      `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
    );
  }
}
