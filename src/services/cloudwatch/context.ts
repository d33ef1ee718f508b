import type { CloudwatchOperations } from "../../models/generated/cloudwatch.ts";
import { operationsOf } from "../service.ts";

/** `operation("PutMetricData", async (input, ctx) => …)`; shapes were checked against the model before it runs. */
export const operation = operationsOf<CloudwatchOperations>();
