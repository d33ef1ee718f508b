import { expect, test } from "vitest";
import type { PythonRelease } from "../../task/task.ts";
import { findFramework, isAsked, nearestFirst, pythonNeeds } from "./find-framework.ts";
import { frameworks } from "./frameworks.ts";

test.each([
  "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
  "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:0.23-1-cpu-py3",
  "sagemaker-scikit-learn@sha256:abc",
  "sagemaker-scikit-learn",
])("%s is scikit-learn, whatever its account, region and tag", (image) => {
  expect(findFramework(image)?.framework.name).toBe("scikit-learn");
});

test("XGBoost's image has two names", () => {
  expect(findFramework("433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:1")?.framework.name).toBe("xgboost");
  expect(findFramework("sagemaker-xgboost:1.7-1")?.framework.name).toBe("xgboost");
});

test.each(["", "example.com/own:1", "sagemaker-scikit-learn-own:1", "sagemaker-scikit-learn/other:1", "kmeans:1"])(
  "%o is no framework image",
  (image) => {
    expect(findFramework(image)).toBeUndefined();
  },
);

test("every framework pins its packages, can name a folder, and has its newest release first", () => {
  for (const { name, releases } of frameworks) {
    expect(name).toMatch(/^[a-z0-9][a-z0-9-]*$/);
    expect(releases.length).toBeGreaterThan(0);
    for (const { version, packages, pythons } of releases) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(pythons.every((python) => /^3\.\d+$/.test(python))).toBe(true);
      for (const wanted of packages) expect(wanted).toMatch(/^[\w.-]+==[\w.]+$/);
      expect(packages).toContain("gunicorn==23.0.0");
    }
    const versions = releases.map(({ version }) => version);
    expect(versions).toEqual(versions.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true })));
  }
});

const release = (version: string): PythonRelease => ({ version, packages: [], pythons: ["3.8", "3.12"] });
const releases = ["2.6.0", "2.1.2", "1.13.1"].map(release);
const order = (tag?: string): string[] => nearestFirst(releases, tag).map(({ version }) => version);

test.each([
  ["2.1.0-cpu-py310-ubuntu20.04-sagemaker", "2.1.2"],
  ["2.0-gpu-py310", "2.1.2"],
  ["1.9.1-cpu-py38", "1.13.1"],
  ["99.0", "2.6.0"],
  ["latest", "2.6.0"],
  [undefined, "2.6.0"],
])("the tag %s is nearest to %s", (tag, version) => {
  expect(order(tag)[0]).toBe(version);
  expect(order(tag)).toHaveLength(3);
});

test("strictly, only the tag's own version is left, to its minor", () => {
  const found = findFramework("sagemaker-scikit-learn:1.2-1-cpu-py3");
  if (!found) throw new Error("scikit-learn is not in the table");
  expect(pythonNeeds(found, true).releases.map(({ version }) => version)).toEqual(["1.2.1"]);
  expect(pythonNeeds(found, false).releases.length).toBeGreaterThan(1);
  const [one, other] = [release("1.2.1"), release("1.3.0")];
  expect([isAsked(one, "1.2-1"), isAsked(other, "1.2-1"), isAsked(other, "latest")]).toEqual([true, false, true]);
});

const huggingFace = "763104351884.dkr.ecr.us-west-2.amazonaws.com/huggingface-pytorch-inference";
const ofHuggingFace = (tag: string, isStrict = false): (string | undefined)[] => {
  const found = findFramework(`${huggingFace}:${tag}`);
  if (!found) throw new Error("Hugging Face's images are not in the table");
  return pythonNeeds(found, isStrict).releases.map(({ shown }) => shown);
};

test.each([
  ["1.13.1-transformers4.26.0-cpu-py39-ubuntu20.04", "1.13.1 with transformers 4.26.1"],
  ["2.0.0-transformers4.28.1-gpu-py310-cu118-ubuntu20.04", "2.0.1 with transformers 4.28.1"],
  // Nearer by PyTorch alone would be 2.3.1, with transformers 4.46.3.
  ["2.4.0-transformers4.49.0-cpu-py311-ubuntu22.04", "2.6.0 with transformers 4.49.0"],
  // PyTorch's version is the same, and transformers' is eight minor versions away: 2.3.1 is two and two away.
  ["2.1.0-transformers4.44.2-cpu-py310-ubuntu22.04", "2.3.1 with transformers 4.46.3"],
  ["2.1.0", "2.1.2 with transformers 4.36.2"],
])("the tag %s is nearest to %s, by PyTorch and transformers", (tag, nearest) => {
  expect(ofHuggingFace(tag)[0]).toBe(nearest);
});

test("strictly, the versions of PyTorch and of transformers must be the tag's", () => {
  expect(ofHuggingFace("1.13.1-transformers4.26.0-cpu-py39-ubuntu20.04", true)).toEqual([
    "1.13.1 with transformers 4.26.1",
  ]);
  expect(ofHuggingFace("1.13.1-transformers4.17.0-cpu-py39-ubuntu20.04", true)).toEqual([]);
  expect(ofHuggingFace("2.1.0-transformers4.26.0-cpu-py310-ubuntu20.04", true)).toEqual([]);
});
