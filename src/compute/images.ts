// How an image that is no built-in algorithm runs on a backend without containers: SageMaker's framework images, by repository name,
// as Python environments. Names: the SageMaker SDK's image_uri_config/*.json.

export interface Framework {
  /** Names the Python environment: safe as a file name. */
  readonly name: string;
  /** Repository names, without registry and tag. */
  readonly images: readonly string[];
  /** pip requirements, pinned. Every version of the image gets these. */
  readonly packages: readonly string[];
}

export const frameworks: readonly Framework[] = [
  {
    name: "scikit-learn",
    images: ["sagemaker-scikit-learn"],
    packages: ["scikit-learn==1.7.2", "numpy==2.2.6", "pandas==2.3.3"],
  },
];

/** By repository name: "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3" is scikit-learn anywhere. */
export function findFramework(imageUri: string): Framework | undefined {
  const repository = imageUri.split("/").at(-1)?.split(/[:@]/)[0];
  return frameworks.find((framework) => repository !== undefined && framework.images.includes(repository));
}
