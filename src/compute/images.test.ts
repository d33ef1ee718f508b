import { expect, test } from "vitest";
import { programOfImage, repositoryName } from "./images.ts";

test.each([
  ["174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1", "kmeans"],
  ["174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:latest", "kmeans"],
  ["404615174143.dkr.ecr.us-east-2.amazonaws.com/kmeans", "kmeans"],
  ["localhost:5000/kmeans@sha256:0123abcd", "kmeans"],
  ["kmeans", "kmeans"],
  ["127.0.0.1:7243/team/kmeans:1", "team/kmeans"],
])("the repository of %s is %s", (image, name) => {
  expect(repositoryName(image)).toBe(name);
});

test("an image runs a built-in algorithm only when its whole repository has the name", () => {
  expect(programOfImage("1.dkr.ecr.us-west-2.amazonaws.com/kmeans:1", ["kmeans"])).toEqual({
    kind: "algorithm",
    name: "kmeans",
  });
  expect(programOfImage("1.dkr.ecr.us-west-2.amazonaws.com/mine/kmeans:1", ["kmeans"])).toBeUndefined();
  expect(programOfImage("1.dkr.ecr.us-west-2.amazonaws.com/pca:1", ["kmeans"])).toBeUndefined();
});
