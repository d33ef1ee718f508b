// An endpoint configuration: what is stored of it and how it is shown.
import type {
  CreateEndpointConfigInput,
  DescribeEndpointConfigOutput,
  EndpointConfigSummary,
} from "../../../models/generated/sagemaker.ts";
import { defineResource, type Resource } from "../../resource-definition.ts";
import { endpointConfigExists, endpointConfigNotFound } from "./errors.ts";

/** The request with its defaults filled in; tags are kept beside it. */
export type EndpointConfigSpec = Omit<CreateEndpointConfigInput, "Tags">;

export type EndpointConfig = Resource<EndpointConfigSpec, object, object>;

const describe = ({ spec, name, arn, createdAt }: EndpointConfig): DescribeEndpointConfigOutput => ({
  ...spec,
  EndpointConfigName: name,
  EndpointConfigArn: arn,
  CreationTime: createdAt,
});

const summary = ({ name, arn, createdAt }: EndpointConfig): EndpointConfigSummary => ({
  EndpointConfigName: name,
  EndpointConfigArn: arn,
  CreationTime: createdAt,
});

export const endpointConfig = defineResource<EndpointConfigSpec, object, object>({
  service: "sagemaker",
  kind: "endpoint-config",
  nameMember: "EndpointConfigName",
  arn: ({ region, account, name }) => `arn:aws:sagemaker:${region}:${account}:endpoint-config/${name}`,
  initialStatus: {},
  initialIntent: {},
  stateOf: () => "",
  describe,
  summary,
  isReconciled: false,
  notFound: ({ arn }) => endpointConfigNotFound(arn),
  alreadyExists: ({ arn }) => endpointConfigExists(arn),
});
