import { expect, test } from "vitest";
import { findFramework, frameworks } from "./images.ts";

test.each([
  "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
  "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:0.23-1-cpu-py3",
  "sagemaker-scikit-learn@sha256:abc",
  "sagemaker-scikit-learn",
])("%s is scikit-learn, whatever its account, region and tag", (image) => {
  expect(findFramework(image)?.name).toBe("scikit-learn");
});

test.each(["", "example.com/own:1", "sagemaker-scikit-learn-own:1", "sagemaker-scikit-learn/other:1", "kmeans:1"])(
  "%o is no framework image",
  (image) => {
    expect(findFramework(image)).toBeUndefined();
  },
);

test("every framework pins its packages and can name a folder", () => {
  for (const { name, packages } of frameworks) {
    expect(name).toMatch(/^[a-z0-9][a-z0-9-]*$/);
    for (const wanted of packages) expect(wanted).toMatch(/^[\w.-]+==[\w.]+$/);
  }
});
