// Furniture of the jobs beside training: requests that go deep into their handlers.

const input = { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "s3://bucket/a" } };

/** `running` stands for the name of a job that runs without end. */
export const jobRecipes = (running: string): Readonly<Record<string, Readonly<Record<string, unknown>>>> => ({
  "sagemaker.CreateTransformJob": {
    // A transform job cannot be deleted: one of this name is there only once a test has made it.
    TransformJobName: "another-job",
    ModelName: "model",
    MaxConcurrentTransforms: 2,
    MaxPayloadInMB: 1,
    BatchStrategy: "MultiRecord",
    Environment: { A: "b" },
    TransformInput: { DataSource: input, ContentType: "text/csv", SplitType: "Line", CompressionType: "None" },
    TransformOutput: { S3OutputPath: "s3://bucket/output", Accept: "text/csv", AssembleWith: "Line" },
    TransformResources: { InstanceType: "ml.m5.large", InstanceCount: 1 },
    DataProcessing: { InputFilter: "$[1:]", OutputFilter: "$[0,-1]", JoinSource: "Input" },
    Tags: [{ Key: "team", Value: "blue" }],
  },
  "sagemaker.StopTransformJob": { TransformJobName: running },
});

/** What makes a job of each kind; their member for the name. */
export const jobKinds: readonly (readonly [create: string, stop: string, nameMember: string])[] = [
  ["sagemaker.CreateTransformJob", "sagemaker.StopTransformJob", "TransformJobName"],
];

export const knownOfJobs: Readonly<Record<string, readonly unknown[]>> = {
  transformjobname: ["job"],
  inputfilter: ["$", "$[0]", "$..x", "$['a"],
  outputfilter: ["$", "$[-1]", "["],
};
