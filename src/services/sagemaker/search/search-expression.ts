// Filters of Search: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Filter.html
import type { Filter, NestedFilters, SearchExpression } from "../../../models/generated/sagemaker.ts";
import { validationError } from "../../../lib/aws-error.ts";
import type { Tag } from "../../resource-definition.ts";
import { propertyValues } from "./property-path.ts";

/** What is searched: a resource as its Describe shows it. */
export interface Searchable {
  readonly described: object;
  readonly tags: readonly Tag[];
}

const asText = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));

/** Numbers with numbers, dates with ISO 8601 dates, everything else as text; undefined: they cannot be compared. */
export function compare(value: unknown, wanted: string): number | undefined {
  if (value instanceof Date || typeof value === "number") {
    const other = value instanceof Date ? Date.parse(wanted) : Number(wanted);
    return Number.isNaN(other) ? undefined : Number(value) - other;
  }
  // Hyperparameters are text that may hold numbers.
  const numbers = [Number(value), Number(wanted)] as const;
  const isNumeric = asText(value).trim() !== "" && wanted.trim() !== "" && !numbers.some(Number.isNaN);
  if (isNumeric) return numbers[0] - numbers[1];
  const text = asText(value);
  return text === wanted ? 0 : text < wanted ? -1 : 1;
}

const isEqual = (value: unknown, wanted: string): boolean =>
  value instanceof Date || typeof value === "number" ? compare(value, wanted) === 0 : asText(value) === wanted;

const test = (values: readonly unknown[], wanted: string, accepts: (order: number) => boolean): boolean =>
  values.some((value) => {
    const order = compare(value, wanted);
    return order !== undefined && accepts(order);
  });

function wantedOf({ Name, Operator, Value }: Filter): string {
  if (Value === undefined) throw validationError(`The filter on ${Name} with ${Operator ?? "Equals"} has no Value.`);
  return Value;
}

function matchesValues(values: readonly unknown[], filter: Filter): boolean {
  switch (filter.Operator) {
    case "Exists":
      return values.length > 0;
    case "NotExists":
      return values.length === 0;
    case "NotEquals": {
      const wanted = wantedOf(filter);
      return !values.some((value) => isEqual(value, wanted));
    }
    case "GreaterThan":
      return test(values, wantedOf(filter), (order) => order > 0);
    case "GreaterThanOrEqualTo":
      return test(values, wantedOf(filter), (order) => order >= 0);
    case "LessThan":
      return test(values, wantedOf(filter), (order) => order < 0);
    case "LessThanOrEqualTo":
      return test(values, wantedOf(filter), (order) => order <= 0);
    case "Contains": {
      const wanted = wantedOf(filter);
      return values.some((value) => asText(value).includes(wanted));
    }
    case "In": {
      const wanted = wantedOf(filter).split(",");
      return values.some((value) => wanted.some((one) => isEqual(value, one)));
    }
    case "Equals":
    case undefined: {
      const wanted = wantedOf(filter);
      return values.some((value) => isEqual(value, wanted));
    }
  }
}

/** One entry of the list that satisfies all of the filters, whose names are paths from the top. */
function matchesNested({ described }: Searchable, { NestedPropertyName, Filters }: NestedFilters): boolean {
  return propertyValues(described, [], NestedPropertyName).some(
    (entry) =>
      typeof entry === "object" &&
      entry !== null &&
      Filters.every((filter) => {
        const path = filter.Name.startsWith(`${NestedPropertyName}.`)
          ? filter.Name.slice(NestedPropertyName.length + 1)
          : filter.Name;
        return matchesValues(propertyValues(entry, [], path), filter);
      }),
  );
}

/** An empty expression accepts everything. */
export function matches(searchable: Searchable, expression: SearchExpression): boolean {
  const results = [
    ...(expression.Filters ?? []).map(
      (filter) => () => matchesValues(propertyValues(searchable.described, searchable.tags, filter.Name), filter),
    ),
    ...(expression.NestedFilters ?? []).map((nested) => () => matchesNested(searchable, nested)),
    ...(expression.SubExpressions ?? []).map((sub) => () => matches(searchable, sub)),
  ];
  if (results.length === 0) return true;
  return expression.Operator === "Or" ? results.some((result) => result()) : results.every((result) => result());
}
