// Names of container images: "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3".

/** The last part, e.g. "sagemaker-scikit-learn": without registry, tag and digest. */
export const repositoryOf = (imageUri: string): string => /^[^:@]*/.exec(imageUri.split("/").at(-1) ?? "")?.[0] ?? "";
