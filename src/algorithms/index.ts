// Every built-in algorithm, and how an image's name leads to one.
import { repositoryOf } from "../lib/image-name.ts";
import type { Algorithm } from "./algorithm.ts";
import { kMeans } from "./kmeans/kmeans.algorithm.ts";

export type { Algorithm } from "./algorithm.ts";

export const algorithms: readonly Algorithm[] = [kMeans];

/** By repository name: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1" is k-means in any account, region and tag. */
export function findAlgorithm(imageUri: string): Algorithm | undefined {
  const repository = repositoryOf(imageUri);
  return algorithms.find((algorithm) => algorithm.images.includes(repository));
}
