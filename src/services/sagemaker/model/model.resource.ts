// A model: what is stored of it and how it is shown.
import type {
  ContainerDefinition,
  CreateModelInput,
  DescribeModelOutput,
  ModelSummary,
} from "../../../models/generated/sagemaker.ts";
import { defineResource, type Resource } from "../../resource-definition.ts";
import { modelExists, modelNotFound } from "./errors.ts";

/** The request with its defaults filled in; tags are kept beside it. */
export type ModelSpec = Omit<CreateModelInput, "Tags">;

export type Model = Resource<ModelSpec, object, object>;

/** In the order in which a request passes them. */
export const containersOf = (spec: ModelSpec): readonly ContainerDefinition[] =>
  spec.PrimaryContainer ? [spec.PrimaryContainer] : (spec.Containers ?? []);

/** Where a container's archive is: ModelDataUrl, or its newer spelling. */
export const modelDataUri = (container: ContainerDefinition): string | undefined =>
  container.ModelDataUrl ?? container.ModelDataSource?.S3DataSource?.S3Uri;

const describe = ({ spec, name, arn, createdAt }: Model): DescribeModelOutput => ({
  ...spec,
  ModelName: name,
  ModelArn: arn,
  CreationTime: createdAt,
});

const summary = ({ name, arn, createdAt }: Model): ModelSummary => ({
  ModelName: name,
  ModelArn: arn,
  CreationTime: createdAt,
});

export const model = defineResource<ModelSpec, object, object>({
  service: "sagemaker",
  kind: "model",
  nameMember: "ModelName",
  arn: ({ region, account, name }) => `arn:aws:sagemaker:${region}:${account}:model/${name}`,
  initialStatus: {},
  initialIntent: {},
  stateOf: () => "",
  describe,
  summary,
  isReconciled: false,
  notFound: ({ arn }) => modelNotFound(arn),
  alreadyExists: ({ arn }) => modelExists(arn),
});
