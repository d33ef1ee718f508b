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
  "sagemaker.CreateProcessingJob": {
    ProcessingJobName: "job",
    RoleArn: "arn:aws:iam::000000000000:role/SalviaExecutionRole",
    AppSpecification: {
      ImageUri: "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
      ContainerEntrypoint: ["python3", "/opt/ml/processing/input/code/x.py"],
      ContainerArguments: ["--a", "b"],
    },
    ProcessingInputs: [
      {
        InputName: "in",
        S3Input: {
          S3Uri: "s3://bucket/a",
          LocalPath: "/opt/ml/processing/in",
          S3DataType: "S3Prefix",
          S3InputMode: "File",
        },
      },
    ],
    ProcessingOutputConfig: {
      Outputs: [
        {
          OutputName: "out",
          S3Output: { S3Uri: "s3://bucket/out", LocalPath: "/opt/ml/processing/out", S3UploadMode: "EndOfJob" },
        },
      ],
    },
    ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: "ml.m5.large", VolumeSizeInGB: 10 } },
    StoppingCondition: { MaxRuntimeInSeconds: 600 },
    Environment: { A: "b" },
    Tags: [{ Key: "team", Value: "blue" }],
  },
  "sagemaker.StopProcessingJob": { ProcessingJobName: running },
});

/** What makes a job of each kind; their member for the name. */
export const jobKinds: readonly (readonly [create: string, stop: string, nameMember: string])[] = [
  ["sagemaker.CreateTransformJob", "sagemaker.StopTransformJob", "TransformJobName"],
  ["sagemaker.CreateProcessingJob", "sagemaker.StopProcessingJob", "ProcessingJobName"],
];

export const knownOfJobs: Readonly<Record<string, readonly unknown[]>> = {
  transformjobname: ["job"],
  processingjobname: ["job"],
  localpath: ["/opt/ml/processing/in", "/opt/ml/processing/../x", "/etc", "/opt/ml/processing"],
  inputfilter: ["$", "$[0]", "$..x", "$['a"],
  outputfilter: ["$", "$[-1]", "["],
};
