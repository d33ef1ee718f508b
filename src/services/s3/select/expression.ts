// What a query is once it has been read.

export type Step = { readonly name: string; readonly isExact: boolean } | { readonly index: number };

export type AggregateName = "COUNT" | "SUM" | "AVG" | "MIN" | "MAX";

export type CastType = "integer" | "number" | "string" | "boolean";

export type Expression =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "path"; readonly steps: readonly Step[] }
  | { readonly kind: "not" | "negative"; readonly of: Expression }
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "compare"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "arithmetic"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "like"; readonly of: Expression; readonly pattern: Expression; readonly escape?: Expression }
  | { readonly kind: "in"; readonly of: Expression; readonly options: readonly Expression[] }
  | { readonly kind: "between"; readonly of: Expression; readonly low: Expression; readonly high: Expression }
  | { readonly kind: "is-null" | "is-missing"; readonly of: Expression }
  | { readonly kind: "cast"; readonly of: Expression; readonly type: CastType }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] }
  /** `slot`: its place among the query's aggregates. `of` is undefined for COUNT(*). */
  | {
      readonly kind: "aggregate";
      readonly name: AggregateName;
      readonly of: Expression | undefined;
      readonly slot: number;
    };

export type AggregateExpression = Expression & { readonly kind: "aggregate" };

export interface Column {
  readonly expression: Expression;
  /** AS …, or what the last step of a path is called. */
  readonly name: string | undefined;
}

export interface Query {
  /** Undefined: SELECT *. */
  readonly columns: readonly Column[] | undefined;
  /** Behind S3Object: "*" walks an array. */
  readonly from: readonly (Step | "*")[];
  readonly where: Expression | undefined;
  readonly limit: number | undefined;
  readonly aggregates: readonly AggregateExpression[];
}
