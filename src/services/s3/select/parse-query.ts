// S3 Select's SQL: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-select.html
import type { Column, Expression, Query, Step } from "./expression.ts";
import { ExpressionParser } from "./parse-expression.ts";
import { selectError, unexpectedToken } from "./select-errors.ts";
import { TokenStream } from "./token-stream.ts";

const maxExpressionBytes = 256 * 1_024;
const clauses: ReadonlySet<string> = new Set(["WHERE", "LIMIT", "GROUP", "ORDER", "HAVING", "JOIN", "UNION"]);

function column(tokens: TokenStream, parser: ExpressionParser): Column {
  const expression = parser.expression();
  const isNamed = tokens.takesKeyword("AS") !== undefined;
  const { kind, keyword } = tokens.next;
  if (isNamed || kind === "quoted" || (kind === "word" && keyword !== "FROM")) {
    const name = tokens.take();
    if (name.kind !== "word" && name.kind !== "quoted") {
      throw selectError("ParseExpectedIdentForAlias", "Did not find the expected identifier for the alias.");
    }
    return { expression, name: name.text };
  }
  const last = expression.kind === "path" ? expression.steps.at(-1) : undefined;
  return { expression, name: last && "name" in last ? last.name : undefined };
}

function columnsOf(tokens: TokenStream, parser: ExpressionParser): readonly Column[] | undefined {
  if (tokens.takesSymbol("*")) {
    if (tokens.next.text !== ",") return undefined;
    throw selectError(
      "ParseAsteriskIsNotAloneInSelectList",
      "Other expressions are not allowed in the SELECT list when '*' is used.",
    );
  }
  const columns = [column(tokens, parser)];
  while (tokens.takesSymbol(",")) columns.push(column(tokens, parser));
  return columns;
}

interface From {
  readonly steps: readonly (Step | "*")[];
  readonly alias: string | undefined;
}

function fromStep(tokens: TokenStream): Step | "*" | undefined {
  if (tokens.takesSymbol(".")) {
    const { kind, text } = tokens.take();
    if (kind !== "word" && kind !== "quoted") throw unexpectedToken(text);
    return { name: text, isExact: kind === "quoted" };
  }
  if (!tokens.takesSymbol("[")) return undefined;
  if (!tokens.takesSymbol("*")) throw unexpectedToken(tokens.next.text);
  tokens.needSymbol("]");
  return "*";
}

function fromOf(tokens: TokenStream): From {
  if (!tokens.takesKeyword("FROM")) {
    throw selectError("ParseSelectMissingFrom", "The SQL expression is missing a FROM after the SELECT list.");
  }
  if (!tokens.takesKeyword("S3OBJECT")) {
    throw selectError("ParseUnsupportedSelect", "The FROM clause must name S3Object.");
  }
  const steps: (Step | "*")[] = [];
  for (let step = fromStep(tokens); step; step = fromStep(tokens)) steps.push(step);
  const hasAs = tokens.takesKeyword("AS") !== undefined;
  const { kind, keyword } = tokens.next;
  const isAlias = kind === "quoted" || (kind === "word" && !clauses.has(keyword));
  if (hasAs && !isAlias) throw selectError("InvalidTableAlias", "The SQL expression contains an invalid table alias.");
  return { steps, alias: isAlias ? tokens.take().text : undefined };
}

function limitOf(tokens: TokenStream): number | undefined {
  if (!tokens.takesKeyword("LIMIT")) return undefined;
  const { kind, text } = tokens.take();
  if (kind !== "number" || !/^\d+$/.test(text)) {
    throw selectError("ParseExpectedNumber", "Did not find the expected number in the SQL expression.");
  }
  return Number(text);
}

/** Drops what a path says of the table: its alias, or S3Object. */
function withoutTable(steps: readonly Step[], alias: string | undefined): readonly Step[] {
  const [first] = steps;
  if (!first || !("name" in first) || steps.length < 2) return steps;
  const name = first.name.toLowerCase();
  return name === alias?.toLowerCase() || name === "s3object" ? steps.slice(1) : steps;
}

/** Rewrites every path of an expression. */
function mapPaths(expression: unknown, map: (steps: readonly Step[]) => readonly Step[]): unknown {
  if (Array.isArray(expression)) return expression.map((part) => mapPaths(part, map));
  if (typeof expression !== "object" || expression === null) return expression;
  if ("kind" in expression && expression.kind === "path" && "steps" in expression) {
    return { ...expression, steps: map(expression.steps as readonly Step[]) };
  }
  return Object.fromEntries(Object.entries(expression).map(([name, part]) => [name, mapPaths(part, map)]));
}

function refuseMixture(columns: readonly Column[] | undefined, aggregateCount: number): void {
  if (aggregateCount === 0) return;
  const isPlain = ({ expression }: Column): boolean => !JSON.stringify(expression).includes('"kind":"aggregate"');
  if (!columns?.some(isPlain)) return;
  throw selectError("ParseUnsupportedSelect", "Columns beside aggregates need GROUP BY, which is not supported.");
}

/** Throws AwsError with S3's code for what is no query, or none that it supports. */
export function parseQuery(text: string): Query {
  if (Buffer.byteLength(text) > maxExpressionBytes) {
    throw selectError(
      "ExpressionTooLong",
      "The SQL expression is too long: The maximum byte-length for the SQL expression is 256 KB.",
    );
  }
  const tokens = new TokenStream(text);
  const parser = new ExpressionParser(tokens);
  tokens.needKeyword("SELECT");
  const columns = columnsOf(tokens, parser);
  const aggregateCount = parser.aggregates.length;
  const { steps, alias } = fromOf(tokens);
  const where = tokens.takesKeyword("WHERE") ? parser.expression() : undefined;
  if (parser.aggregates.length > aggregateCount) {
    throw selectError("ParseUnsupportedCallWithStar", "Aggregates are not allowed in the WHERE clause.");
  }
  const limit = limitOf(tokens);
  if (tokens.next.kind !== "end") {
    const isClause = clauses.has(tokens.next.keyword);
    throw isClause
      ? selectError("ParseUnsupportedSyntax", `The SQL expression contains unsupported syntax: ${tokens.next.keyword}`)
      : unexpectedToken(tokens.next.text);
  }
  refuseMixture(columns, aggregateCount);
  const strip = <E>(expression: E): E => mapPaths(expression, (path) => withoutTable(path, alias)) as E;
  return {
    columns: columns?.map((one) => ({ ...one, expression: strip<Expression>(one.expression) })),
    from: steps,
    where: where && strip<Expression>(where),
    limit,
    aggregates: strip(parser.aggregates),
  };
}
