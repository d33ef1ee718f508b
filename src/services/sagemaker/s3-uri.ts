/** `s3://bucket/key`; the key may be empty or a prefix. */
export interface S3Uri {
  readonly bucket: string;
  readonly key: string;
}

/** Undefined when the text is no S3 URI. */
export function parseS3Uri(text: string): S3Uri | undefined {
  const [, bucket, key = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}

/** The URI of `name` in the folder that `uri` names, with or without a slash at its end. */
export const inFolder = ({ bucket, key }: S3Uri, name: string): S3Uri => {
  const folder = key.replace(/\/+$/, "");
  return { bucket, key: folder === "" ? name : `${folder}/${name}` };
};

export const s3Uri = ({ bucket, key }: S3Uri): string => `s3://${bucket}/${key}`;
