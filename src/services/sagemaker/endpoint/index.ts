import { describeOperation, listOperation } from "../../derived-operations.ts";
import { createEndpoint } from "./create-endpoint.ts";
import { deleteEndpoint } from "./delete-endpoint.ts";
import { endpoint } from "./endpoint.resource.ts";
import { updateEndpoint, updateEndpointWeightsAndCapacities } from "./update-endpoint.ts";

export const endpointOperations = [
  createEndpoint,
  describeOperation(endpoint, "DescribeEndpoint"),
  listOperation(endpoint, { name: "ListEndpoints", member: "Endpoints" }),
  updateEndpoint,
  updateEndpointWeightsAndCapacities,
  deleteEndpoint,
];
