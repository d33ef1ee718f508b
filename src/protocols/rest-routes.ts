// Finds a REST operation by method, path, query and headers. Where several fit, the one that asks for most wins: S3 tells
// GetObject from GetObjectTagging by a query parameter, PutObject from CopyObject by a header.
import type { OperationModel } from "../models/index.ts";
import { uriPattern, type UriPattern } from "./uri-pattern.ts";
import type { QueryPair } from "./wire-text.ts";

export interface RestQuestion {
  readonly method: string;
  readonly rawPath: string;
  readonly query: readonly QueryPair[];
  readonly headers: Readonly<Record<string, string>>;
}

interface RestRoute {
  readonly operation: OperationModel;
  readonly pattern: UriPattern;
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  readonly weight: number;
}

/** Undefined if no operation fits. */
export type FindRestOperation = (question: RestQuestion) => OperationModel | undefined;

export function restRoutes(operations: Iterable<OperationModel>): FindRestOperation {
  const byMethod = Map.groupBy([...operations].map(routeOf), ({ operation }) => operation.http.method);
  // The heaviest first: the first that fits is the answer.
  for (const routes of byMethod.values()) routes.sort((a, b) => b.weight - a.weight);
  return (question) => {
    const routes = byMethod.get(question.method) ?? [];
    const query = new Map(question.query);
    const matching = routes.filter((route) => matchesUri(route, question, query));
    // What lacks a required parameter is still that operation, for validation to say so.
    return (matching.find((route) => hasRequired(route, question, query)) ?? matching.at(-1))?.operation;
  };
}

function routeOf(operation: OperationModel): RestRoute {
  const pattern = uriPattern(operation.http.requestUri);
  const required = [...operation.input.members.values()].filter(({ isRequired }) => isRequired);
  const named = (location: "querystring" | "header") =>
    required.filter((member) => member.location === location).map(({ wireName }) => wireName);
  const requiredQuery = named("querystring");
  const requiredHeaders = named("header").map((name) => name.toLowerCase());
  const weight =
    pattern.literalSegments +
    pattern.labels.length +
    pattern.query.size +
    requiredQuery.length +
    requiredHeaders.length;
  return { operation, pattern, requiredQuery, requiredHeaders, weight };
}

function matchesUri({ pattern }: RestRoute, { rawPath }: RestQuestion, query: ReadonlyMap<string, string>): boolean {
  if (!pattern.path.test(rawPath)) return false;
  for (const [name, value] of pattern.query) {
    if (!query.has(name) || (value !== undefined && query.get(name) !== value)) return false;
  }
  return true;
}

const hasRequired = (
  { requiredQuery, requiredHeaders }: RestRoute,
  { headers }: RestQuestion,
  query: ReadonlyMap<string, string>,
): boolean =>
  requiredQuery.every((name) => query.has(name)) && requiredHeaders.every((name) => Object.hasOwn(headers, name));
