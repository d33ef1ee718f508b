import type { LogsOperations } from "../../models/generated/logs.ts";
import { operationsOf } from "../service.ts";

/** `operation("GetLogEvents", async (input, ctx) => …)`; shapes were checked against the model before it runs. */
export const operation = operationsOf<LogsOperations>();
