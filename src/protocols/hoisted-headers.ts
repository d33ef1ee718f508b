// Headers that a presigning client moved into the query: the AWS SDK for JavaScript moves all x-amz-* headers there, boto3's
// version 2 also Content-Type and Content-MD5. Both stand in the signature, so they are as good as headers.
import { parseQuery } from "./wire-text.ts";

const ofSignature =
  /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|user-agent)$/;
const hoisted = /^(?:x-amz-.+|content-type|content-md5)$/;

/** The headers of a presigned request and those that its query stands for; a header that was sent wins. */
export function withHoistedHeaders(
  headers: Readonly<Record<string, string>>,
  rawQuery: string,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of parseQuery(rawQuery) ?? []) {
    const header = name.toLowerCase();
    if (hoisted.test(header) && !ofSignature.test(header)) found[header] = value;
  }
  return Object.keys(found).length === 0 ? headers : { ...found, ...headers };
}
