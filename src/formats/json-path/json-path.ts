// The JSONPath subset of batch transform's filters: `$`, `.name`, `.*`, `['a','b']`, `[0]`, `[1,3]`, `[-1]`, `[2:5]`, `[*]`.
// https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
export type Selector =
  | { readonly kind: "all" }
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "indexes"; readonly indexes: readonly number[] }
  | { readonly kind: "slice"; readonly from?: number; readonly to?: number };

export type JsonPath = readonly Selector[];

const longestPath = 63;
const namePattern = /^\.([A-Za-z_][\w-]*)/;
const quotedName = String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`;
const namesPattern = new RegExp(String.raw`^\[\s*((?:${quotedName})(?:\s*,\s*(?:${quotedName}))*)\s*\]`);
const slicePattern = /^\[\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*\]/;
const indexesPattern = /^\[\s*(-?\d{1,9}(?:\s*,\s*-?\d{1,9})*)\s*\]/;
const allPattern = /^(?:\.\*|\[\s*\*\s*\])/;

const unquoted = (word: string): string => word.trim().slice(1, -1).replace(/\\(.)/g, "$1");

const readers: readonly (readonly [RegExp, (match: RegExpExecArray) => Selector])[] = [
  [allPattern, () => ({ kind: "all" })],
  [namePattern, (match) => ({ kind: "names", names: [match[1] ?? ""] })],
  [
    namesPattern,
    (match) => ({
      kind: "names",
      names: [...(match[1] ?? "").matchAll(new RegExp(quotedName, "g"))].map(([word]) => unquoted(word)),
    }),
  ],
  [
    slicePattern,
    ([, from, to]) => ({
      kind: "slice",
      ...(from === undefined ? {} : { from: Number(from) }),
      ...(to === undefined ? {} : { to: Number(to) }),
    }),
  ],
  [indexesPattern, (match) => ({ kind: "indexes", indexes: (match[1] ?? "").split(",").map(Number) })],
];

/** The text is no JSONPath of the subset. */
export class JsonPathError extends Error {}

/** Throws JsonPathError for what is not of the subset. */
export function parseJsonPath(text: string): JsonPath {
  if (!text.startsWith("$") || text.length > longestPath)
    throw new JsonPathError(
      `"${text.slice(0, longestPath)}" is no JSONPath: it begins with $ and has at most 63 characters`,
    );
  const path: Selector[] = [];
  for (let rest = text.slice(1); rest !== "";) {
    const found = readers.map(([pattern, read]) => ({ match: pattern.exec(rest), read })).find(({ match }) => match);
    if (!found?.match) throw new JsonPathError(`"${text}" is no JSONPath that is understood here: what is "${rest}"?`);
    path.push(found.read(found.match));
    rest = rest.slice(found.match[0].length);
  }
  return path;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One thing that is named alone stays itself; several become a list, or an object with their names. */
function select(value: unknown, selector: Selector): unknown {
  switch (selector.kind) {
    case "all":
      return isObject(value) ? Object.values(value) : Array.isArray(value) ? value : undefined;
    case "names":
      return isObject(value) ? named(value, selector.names) : undefined;
    case "indexes": {
      if (!Array.isArray(value)) return undefined;
      const picked = selector.indexes.map((index) => (value as unknown[]).at(index));
      return picked.length === 1 ? picked[0] : picked.filter((each) => each !== undefined);
    }
    case "slice":
      return Array.isArray(value) ? (value as unknown[]).slice(selector.from, selector.to) : undefined;
  }
}

function named(value: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  const own = names.filter((name) => Object.hasOwn(value, name));
  if (names.length === 1) return own.length === 1 ? value[own[0]!] : undefined;
  return Object.fromEntries(own.map((name) => [name, value[name]]));
}

/** Undefined where the path leads nowhere. */
export const applyJsonPath = (path: JsonPath, value: unknown): unknown => path.reduce(select, value);
