// A model's request URI ("/{Bucket}/{Key+}?uploads") as something to match raw paths with:
// https://smithy.io/2.0/spec/http-bindings.html#http-trait

export interface UriPattern {
  /** Matches a raw path; its groups are the labels' raw texts, in the order of `labels`. */
  readonly path: RegExp;
  readonly labels: readonly string[];
  /** Query parameters that the URI itself names; undefined where any value will do. */
  readonly query: ReadonlyMap<string, string | undefined>;
  /** Path segments that are not labels. */
  readonly literalSegments: number;
}

const special = /[.*+?^${}()|[\]\\]/g;

export function uriPattern(requestUri: string): UriPattern {
  const [path = "/", queryText] = requestUri.split("?", 2);
  const labels: string[] = [];
  let expression = "";
  let literalSegments = 0;
  for (const segment of path.split("/").slice(1)) {
    const label = /^\{([^}+]+)(\+?)\}$/.exec(segment);
    if (label) {
      labels.push(label[1] ?? "");
      expression += label[2] === "+" ? "/([\\s\\S]+)" : "/([^/]+)";
    } else {
      expression += `/${segment.replaceAll(special, "\\$&")}`;
      if (segment !== "") literalSegments += 1;
    }
  }
  const query = new Map<string, string | undefined>();
  for (const part of queryText ? queryText.split("&") : []) {
    const [name = "", value] = part.split("=", 2);
    query.set(name, value);
  }
  // A bucket may be named with a slash behind it.
  const optionalSlash = expression.endsWith("([^/]+)") ? "/?" : "";
  return { path: new RegExp(`^${expression}${optionalSlash}$`), labels, query, literalSegments };
}
