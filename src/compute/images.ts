// Which image runs how: built-in algorithms by their repository's name, in whatever account and region the URI stands.

export interface AlgorithmImage {
  readonly kind: "algorithm";
  readonly name: string;
}

/** "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1", "kmeans:latest", "kmeans" → "kmeans". */
export const repositoryName = (image: string): string =>
  image
    .replace(/^[^/]*[.:][^/]*\//, "")
    .replace(/@sha256:[0-9a-f]+$/, "")
    .replace(/:[^:/]*$/, "");

/** Undefined when no built-in algorithm runs the image. */
export function programOfImage(image: string, algorithms: readonly string[]): AlgorithmImage | undefined {
  const name = repositoryName(image);
  return algorithms.includes(name) ? { kind: "algorithm", name } : undefined;
}
