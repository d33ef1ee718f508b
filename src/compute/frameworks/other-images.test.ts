import { expect, test } from "vitest";
import { frameworks } from "./frameworks.ts";
import { needsContainer } from "./other-images.ts";

const at = (name: string): string => `763104351884.dkr.ecr.us-west-2.amazonaws.com/${name}`;

test.each([
  [
    "huggingface-pytorch-tgi-inference:2.4.0-tgi3.0.1-gpu-py311-cu124-ubuntu22.04",
    "Text Generation Inference",
    "HF_MODEL_ID",
  ],
  ["huggingface-pytorch-inference-neuronx:2.1.2-transformers4.43.2", "Inferentia", "without its neuron part"],
  ["huggingface-pytorch-training-neuronx:2.1.2", "Trainium", "without its neuron part"],
  ["huggingface-pytorch-trcomp-training:1.9.0-transformers4.11.0", "Training Compiler", "huggingface-pytorch-training"],
  ["pytorch-trcomp-training:1.13.1", "Training Compiler", "pytorch-training"],
  ["pytorch-inference-eia:1.5.1", "Elastic Inference", "without -eia"],
  ["pytorch-inference-graviton:2.0.0", "Graviton", "without its last part"],
  ["djl-inference:0.27.0-deepspeed0.12.6", "large language models", "huggingface-pytorch-inference"],
  [
    "huggingface-tensorflow-training:2.6.3-transformers4.17.0",
    "Transformers on TensorFlow",
    "huggingface-pytorch-training",
  ],
  ["mxnet-training:1.9.0", "has no environment here", "docker pull"],
  ["sagemaker-tritonserver:24.09", "has no environment here", "docker pull"],
])("%s needs a container, and what to do is told", (image, what, instead) => {
  expect(needsContainer(at(image))).toContain(what);
  expect(needsContainer(at(image))).toContain(instead);
});

test("images of others, and those that are environments here, are none of them", () => {
  for (const name of ["own:1", "tensors:2", ...frameworks.flatMap(({ images }) => images)])
    expect(needsContainer(at(name))).toBeUndefined();
});
