// The table of framework images. A release is what SageMaker's image of that version has, as far as its users import it; every
// package is pinned. Versions of the images: the SageMaker SDK's image_uri_config/*.json. Pythons: each package's wheels on PyPI.
import type { Framework } from "./framework.ts";

/** The model server's. */
const gunicorn = "gunicorn==23.0.0";
const torchIndex = "https://download.pytorch.org/whl/cpu";
const torchNote =
  "PyTorch is about 200 MB as a CPU build; where only the default index is reachable, it comes with CUDA: up to 5 GB, once";
const torchOfSystem = { distribution: "torch", brings: ["torch", "numpy"] };

const scikitOfOld = ["scikit-learn==1.2.1", "scipy==1.10.1", "pandas==1.5.3"];
const scikitOfNow = ["scikit-learn==1.7.2", "scipy==1.15.3", "numpy==2.2.6", "pandas==2.3.3"];

export const frameworks: readonly Framework[] = [
  {
    name: "scikit-learn",
    title: "scikit-learn",
    images: ["sagemaker-scikit-learn"],
    module: "sagemaker_sklearn_container.training:main",
    releases: [
      { version: "1.7.2", pythons: ["3.10", "3.13"], packages: [...scikitOfNow, gunicorn] },
      {
        version: "1.4.2",
        pythons: ["3.9", "3.12"],
        packages: ["scikit-learn==1.4.2", "scipy==1.13.1", "numpy==1.26.4", "pandas==2.2.3", gunicorn],
      },
      { version: "1.2.1", pythons: ["3.8", "3.11"], packages: [...scikitOfOld, "numpy==1.24.4", gunicorn] },
      {
        version: "1.0.2",
        pythons: ["3.7", "3.10"],
        packages: ["scikit-learn==1.0.2", "scipy==1.7.3", "numpy==1.21.6", "pandas==1.3.5", gunicorn],
      },
    ],
  },
  {
    name: "xgboost",
    title: "XGBoost",
    images: ["sagemaker-xgboost", "xgboost"],
    module: "sagemaker_xgboost_container.training:main",
    releases: [
      { version: "3.0.5", pythons: ["3.10", "3.13"], packages: ["xgboost-cpu==3.0.5", ...scikitOfNow, gunicorn] },
      {
        version: "1.7.6",
        pythons: ["3.8", "3.11"],
        packages: ["xgboost==1.7.6", ...scikitOfOld, "numpy==1.24.4", gunicorn],
      },
      {
        version: "1.5.2",
        pythons: ["3.8", "3.11"],
        packages: ["xgboost==1.5.2", ...scikitOfOld, "numpy==1.23.5", gunicorn],
      },
    ],
  },
  {
    name: "pytorch",
    title: "PyTorch",
    images: ["pytorch-training", "pytorch-inference"],
    module: "sagemaker_pytorch_container.training:main",
    extraIndex: torchIndex,
    note: torchNote,
    fromSystem: torchOfSystem,
    releases: [
      { version: "2.6.0", pythons: ["3.10", "3.13"], packages: ["torch==2.6.0", "numpy==2.2.6", gunicorn] },
      { version: "2.3.1", pythons: ["3.9", "3.12"], packages: ["torch==2.3.1", "numpy==1.26.4", gunicorn] },
      { version: "2.1.2", pythons: ["3.8", "3.11"], packages: ["torch==2.1.2", "numpy==1.24.4", gunicorn] },
      { version: "1.13.1", pythons: ["3.8", "3.11"], packages: ["torch==1.13.1", "numpy==1.23.5", gunicorn] },
    ],
  },
  {
    name: "huggingface-pytorch",
    title: "Hugging Face Transformers on PyTorch",
    images: ["huggingface-pytorch-training", "huggingface-pytorch-inference"],
    module: "sagemaker_pytorch_container.training:main",
    extraIndex: torchIndex,
    note: torchNote,
    fromSystem: torchOfSystem,
    tagged: ["transformers"],
    releases: [
      {
        version: "2.6.0",
        pythons: ["3.10", "3.13"],
        packages: ["torch==2.6.0", "transformers==4.49.0", "numpy==2.2.6", gunicorn],
      },
      {
        version: "2.3.1",
        pythons: ["3.9", "3.12"],
        packages: ["torch==2.3.1", "transformers==4.46.3", "numpy==1.26.4", gunicorn],
      },
      {
        version: "2.1.2",
        pythons: ["3.8", "3.11"],
        packages: ["torch==2.1.2", "transformers==4.36.2", "numpy==1.24.4", gunicorn],
      },
      {
        version: "2.0.1",
        pythons: ["3.8", "3.11"],
        packages: ["torch==2.0.1", "transformers==4.28.1", "numpy==1.24.4", gunicorn],
      },
      {
        version: "1.13.1",
        pythons: ["3.8", "3.11"],
        packages: ["torch==1.13.1", "transformers==4.26.1", "numpy==1.23.5", gunicorn],
      },
    ],
  },
  {
    name: "tensorflow",
    title: "TensorFlow",
    images: ["tensorflow-training", "tensorflow-inference"],
    module: "sagemaker_tensorflow_container.training:main",
    note: "TensorFlow is about 1.2 GB on disk, once",
    releases: [
      { version: "2.18.1", pythons: ["3.9", "3.12"], packages: ["tensorflow-cpu==2.18.1", gunicorn] },
      { version: "2.14.1", pythons: ["3.9", "3.11"], packages: ["tensorflow-cpu==2.14.1", gunicorn] },
    ],
  },
];
