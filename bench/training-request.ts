// The training job that benches start: k-means of three features in files.
import type { CreateTrainingJobCommandInput } from "@aws-sdk/client-sagemaker";

export interface BenchJob {
  readonly name: string;
  readonly image: string;
  readonly role: string;
  readonly bucket: string;
  /** Key or prefix in the bucket. */
  readonly data: string;
  /** Default: File. */
  readonly mode?: "File" | "FastFile";
  readonly volumeGigabytes: number;
  readonly maxSeconds: number;
}

export const trainingRequest = (job: BenchJob): CreateTrainingJobCommandInput => ({
  TrainingJobName: job.name,
  AlgorithmSpecification: { TrainingImage: job.image, TrainingInputMode: job.mode ?? "File" },
  RoleArn: job.role,
  HyperParameters: { k: "2", feature_dim: "3" },
  InputDataConfig: [
    {
      ChannelName: "train",
      ContentType: "text/csv;label_size=0",
      DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: `s3://${job.bucket}/${job.data}` } },
    },
  ],
  OutputDataConfig: { S3OutputPath: `s3://${job.bucket}/out` },
  ResourceConfig: { InstanceCount: 1, InstanceType: "ml.c5.xlarge", VolumeSizeInGB: job.volumeGigabytes },
  StoppingCondition: { MaxRuntimeInSeconds: job.maxSeconds },
});
