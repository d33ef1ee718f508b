// Augmented manifests: JSON lines whose attributes feed a channel, references (`…-ref`) as the objects they name.
// https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html
import { FormatError } from "./format-error.ts";
import { readJsonLines } from "./json-lines.ts";

export type ManifestValue =
  /** An object in S3 whose bytes are the value. */
  | { readonly attribute: string; readonly type: "object"; readonly bucket: string; readonly key: string }
  /** Strings as they are, everything else as JSON. */
  | { readonly attribute: string; readonly type: "text"; readonly text: string };

export interface ManifestLine {
  /** 1-based. */
  readonly lineNumber: number;
  /** In the order of the attribute names that were asked for. */
  readonly values: readonly ManifestValue[];
}

const reference = /^s3:\/\/([^/]+)\/(.+)$/s;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The named attributes of one line. Throws FormatError naming the line and the attribute. */
export function manifestValues(
  value: unknown,
  attributeNames: readonly string[],
  source: string,
  lineNumber: number,
): ManifestValue[] {
  const wrong = (problem: string): FormatError => new FormatError(source, lineNumber, problem, "line");
  if (!isObject(value)) throw wrong("not a JSON object");
  return attributeNames.map((attribute) => {
    const given = Object.hasOwn(value, attribute) ? value[attribute] : undefined;
    if (given === undefined) throw wrong(`it has no attribute "${attribute}"`);
    if (!attribute.endsWith("-ref")) {
      return { attribute, type: "text", text: typeof given === "string" ? given : JSON.stringify(given) };
    }
    const [, bucket, key] = (typeof given === "string" ? reference.exec(given) : undefined) ?? [];
    if (bucket === undefined || key === undefined) {
      throw wrong(`its attribute "${attribute}" is not an S3 address of the form s3://BUCKET/KEY`);
    }
    return { attribute, type: "object", bucket, key };
  });
}

/** The lines of a manifest, empty ones passed over. */
export async function* readAugmentedManifest(
  source: string,
  chunks: AsyncIterable<Uint8Array>,
  attributeNames: readonly string[],
): AsyncGenerator<ManifestLine> {
  for await (const { lineNumber, value } of readJsonLines(source, chunks)) {
    yield { lineNumber, values: manifestValues(value, attributeNames, source, lineNumber) };
  }
}
