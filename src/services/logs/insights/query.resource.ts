// A Logs Insights query: what was asked, and what came out of it.
import { AwsError } from "../../../lib/aws-error.ts";
import type { QueryStatus } from "../../../models/generated/logs.ts";
import { defineResource, type Resource } from "../../resource-definition.ts";
import type { QueryProgress, ResultField } from "./run-query.ts";

export interface QuerySpec {
  readonly query: string;
  /** Names, as asked for. */
  readonly groups: readonly string[];
  /** ms since 1970, `before` exclusive. */
  readonly from: number;
  readonly before: number;
  readonly limit: number;
}

export interface QueryIntent {
  readonly isStopped?: boolean;
}

export interface QueryState {
  readonly state: QueryStatus;
  readonly progress: QueryProgress;
  readonly rows?: readonly (readonly ResultField[])[];
}

export type Query = Resource<QuerySpec, QueryIntent, QueryState>;

export const noProgress: QueryProgress = { recordsMatched: 0, recordsScanned: 0, bytesScanned: 0 };

export const query = defineResource<QuerySpec, QueryIntent, QueryState>({
  service: "logs",
  kind: "query",
  nameMember: "queryId",
  arn: ({ region, account, name }) => `arn:aws:logs:${region}:${account}:query:${name}`,
  initialStatus: { state: "Scheduled", progress: noProgress },
  initialIntent: {},
  stateOf: ({ state }) => state,
  describe: ({ status }) => status,
  summary: ({ status }) => status,
  isReconciled: true,
  notFound: ({ name }) => new AwsError("ResourceNotFoundException", `The query ${name} does not exist.`),
  alreadyExists: ({ name }) => new AwsError("InvalidParameterException", `The query ${name} exists already.`),
});
