// SageMaker's own images that are no framework here: what each is, and what to do instead. Names: the SageMaker SDK's
// image_uri_config/*.json, and the list of available Deep Learning Containers images.
import { repositoryOf } from "../../lib/image-name.ts";

interface OtherImages {
  readonly names: RegExp;
  readonly what: string;
  /** What runs without a container. */
  readonly instead?: string;
}

const models = "serve the model with huggingface-pytorch-inference (HF_MODEL_ID, HF_TASK) or a script of your own";

/** The first that matches counts. */
const others: readonly OtherImages[] = [
  {
    names: /neuronx?$/,
    what: "it needs AWS Inferentia or Trainium, which no machine but AWS's has",
    instead: "use the image of the same name without its neuron part, which runs on the processor",
  },
  {
    names: /-trcomp-/,
    what: "it holds SageMaker's Training Compiler, which needs AWS's GPU instances and is no longer developed",
    instead: "use pytorch-training or huggingface-pytorch-training without the compiler_config",
  },
  { names: /-eia$/, what: "it needs Amazon Elastic Inference, which AWS has ended", instead: "use it without -eia" },
  {
    names: /-(?:graviton|arm64)(?:-|$)/,
    what: "it is built for AWS's Graviton processors",
    instead: "use the image of the same name without its last part",
  },
  { names: /-tgi-|^tgi/, what: "it is Hugging Face's Text Generation Inference server", instead: models },
  { names: /^tei|-tei(?:-|$)/, what: "it is Hugging Face's Text Embeddings Inference server", instead: models },
  { names: /^djl-|-vllm-|^vllm|^sglang/, what: "it is a server for large language models", instead: models },
  {
    names: /^huggingface-tensorflow-/,
    what: "it holds Transformers on TensorFlow",
    instead: "use huggingface-pytorch-training or -inference, or tensorflow-training or -inference",
  },
  {
    names: /^sagemaker-(?:pytorch|tensorflow)(?:-scriptmode|-serving)?$/,
    what: "it is of the time before the Deep Learning Containers",
    instead: "use pytorch-training or -inference, or tensorflow-training or -inference",
  },
  {
    names: /^sagemaker-(?:neo|inference)-/,
    what: "it serves models that SageMaker Neo has compiled",
    instead: "serve the model as it was before, with the image of its framework",
  },
  {
    names:
      /^(?:stabilityai-|autogluon-|mxnet-|smdistributed-|sagemaker-(?:chainer|mxnet|rl|spark|sparkml|tritonserver|base-python|distribution)(?:-|$))/,
    what: "it holds a framework that has no environment here",
  },
];

/** Why an image of SageMaker's needs a container, and what to do; undefined for images of others, and for those that need none. */
export function needsContainer(imageUri: string): string | undefined {
  const found = others.find(({ names }) => names.test(repositoryOf(imageUri)));
  if (!found) return undefined;
  const instead = found.instead === undefined ? "" : ` Without a container, ${found.instead}.`;
  return `${found.what}. It runs as a container alone, where a Docker Engine answers (none does here) that has the image: pull it once with an account of AWS (docker pull).${instead}`;
}
