import { deleteOperation, describeOperation, listOperation } from "../../derived-operations.ts";
import { createEndpointConfig } from "./create-endpoint-config.ts";
import { endpointConfig } from "./endpoint-config.resource.ts";

export const endpointConfigOperations = [
  createEndpointConfig,
  describeOperation(endpointConfig, "DescribeEndpointConfig"),
  listOperation(endpointConfig, { name: "ListEndpointConfigs", member: "EndpointConfigs" }),
  deleteOperation(endpointConfig, "DeleteEndpointConfig"),
];
