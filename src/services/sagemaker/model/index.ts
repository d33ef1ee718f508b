import { deleteOperation, describeOperation, listOperation } from "../../derived-operations.ts";
import { createModel } from "./create-model.ts";
import { model } from "./model.resource.ts";

export const modelOperations = [
  createModel,
  describeOperation(model, "DescribeModel"),
  listOperation(model, { name: "ListModels", member: "Models" }),
  deleteOperation(model, "DeleteModel"),
];
