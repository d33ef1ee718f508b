// Which value a property path of Search means in a described resource, e.g. HyperParameters.k, Tags.team, Metrics.test:msd.
import type { Tag } from "../../resource-definition.ts";

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !(value instanceof Date) && !Array.isArray(value);

/** Own members only: paths come off the wire. */
const member = (value: unknown, name: string): unknown =>
  isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined;

function metric(described: unknown, name: string): unknown {
  const list = member(described, "FinalMetricDataList");
  if (!Array.isArray(list)) return undefined;
  return member(
    list.find((entry) => member(entry, "MetricName") === name),
    "Value",
  );
}

/** Every value at `path`: a path through a list means each of its entries. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((entry) => valuesAt(entry, path));
  if (path.length === 0) return value === undefined ? [] : [value];
  if (!isFields(value)) return [];
  // A name may hold dots itself (hyperparameters do): the longest that fits wins.
  for (let length = path.length; length > 0; length--) {
    const name = path.slice(0, length).join(".");
    if (Object.hasOwn(value, name)) return valuesAt(value[name], path.slice(length));
  }
  return [];
}

export function propertyValues(described: object, tags: readonly Tag[], path: string): unknown[] {
  const dot = path.indexOf(".");
  const head = dot < 0 ? path : path.slice(0, dot);
  const rest = path.slice(head.length + 1);
  if (head === "Tags" && dot > 0) return tags.filter((tag) => tag.Key === rest).map((tag) => tag.Value);
  if (head === "Metrics" && dot > 0) {
    const value = metric(described, rest);
    return value === undefined ? [] : [value];
  }
  return valuesAt(described, path.split("."));
}
