// Reads a Logs Insights query into stages. Source: "CloudWatch Logs Insights language query syntax", user guide.
import { ExpressionParser, takeRegex, type AggregateUse, type Expression } from "./parse-expression.ts";
import { Lexer } from "./lexer.ts";
import { QueryError } from "./query-error.ts";
import { textOf } from "./values.ts";
import type { Extraction } from "./stages.ts";

export interface NamedExpression {
  readonly name: string;
  readonly of: Expression;
}

export type Command =
  | { readonly kind: "fields" | "display"; readonly columns: readonly NamedExpression[] }
  | { readonly kind: "filter"; readonly test: Expression }
  | { readonly kind: "parse"; readonly of: Expression; readonly names: readonly string[]; readonly extract: Extraction }
  | {
      readonly kind: "stats";
      readonly columns: readonly NamedExpression[];
      readonly uses: readonly AggregateUse[];
      readonly by: readonly NamedExpression[];
    }
  | { readonly kind: "sort"; readonly keys: readonly { readonly of: Expression; readonly isDescending: boolean }[] }
  | { readonly kind: "limit"; readonly count: number }
  | { readonly kind: "dedup"; readonly by: readonly Expression[] };

const maxQueryLength = 10_000;
export const maxRows = 10_000;

/** Throws QueryError. */
export function parseQuery(text: string): readonly Command[] {
  if (text.length > maxQueryLength)
    throw new QueryError(`a query has at most ${maxQueryLength} characters`, 0, text.length);
  const lexer = new Lexer(text);
  const commands: Command[] = [];
  do if (lexer.next.kind !== "end") commands.push(command(lexer));
  while (lexer.takes("|"));
  if (lexer.next.kind !== "end") throw lexer.unexpected();
  return commands;
}

function command(lexer: Lexer): Command {
  const { kind, text } = lexer.next;
  const name = text.toLowerCase();
  const parser = kind === "word" && Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (!parser) throw lexer.unexpected(`expected one of ${Object.keys(parsers).join(", ")}`);
  lexer.take();
  return parser(lexer);
}

const parsers: Readonly<Record<string, (lexer: Lexer) => Command>> = {
  fields: (lexer) => ({ kind: "fields", columns: list(lexer, () => named(lexer, new ExpressionParser(lexer))) }),
  display: (lexer) => ({ kind: "display", columns: list(lexer, () => named(lexer, new ExpressionParser(lexer))) }),
  filter: (lexer) => ({ kind: "filter", test: filterOf(lexer) }),
  where: (lexer) => ({ kind: "filter", test: filterOf(lexer) }),
  parse: parsing,
  stats,
  sort: (lexer) => ({ kind: "sort", keys: list(lexer, () => sortKey(lexer)) }),
  limit: (lexer) => ({ kind: "limit", count: countOf(lexer) }),
  head: (lexer) => ({ kind: "limit", count: countOf(lexer) }),
  dedup: (lexer) => ({ kind: "dedup", by: list(lexer, () => new ExpressionParser(lexer).parse()) }),
};

/** `filter "text"` and `filter /regex/` look at the message. */
function filterOf(lexer: Lexer): Expression {
  const start = lexer.next;
  if (start.kind === "operator" && start.text === "/") {
    const regex = takeRegex(lexer);
    return (line) => regex.test(textOf(line.get("@message")) ?? "");
  }
  return new ExpressionParser(lexer).parse();
}

function list<T>(lexer: Lexer, one: () => T): readonly T[] {
  const items = [one()];
  // fields a, b and sort a desc, b: the comma is all that holds them together.
  while (lexer.takes(",")) items.push(one());
  return items;
}

function named(lexer: Lexer, parser: ExpressionParser): NamedExpression {
  const { kind, text, start } = lexer.next;
  const of = parser.parse();
  const written = lexer.text.slice(start, lexer.lastEnd).trim();
  // A field in backticks goes by its name.
  const own = kind === "field" && written === `\`${text}\`` ? text : written;
  return { name: lexer.takes("as") ? nameIn(lexer) : own, of };
}

function nameIn(lexer: Lexer): string {
  const { kind } = lexer.next;
  if (kind !== "word" && kind !== "field" && kind !== "text") throw lexer.unexpected("expected a name");
  return lexer.take().text;
}

function stats(lexer: Lexer): Command {
  const uses: AggregateUse[] = [];
  const columns = list(lexer, () => named(lexer, new ExpressionParser(lexer, uses)));
  if (uses.length === 0) throw lexer.unexpected("stats needs an aggregate such as count(*)");
  const by = lexer.takes("by") ? list(lexer, () => named(lexer, new ExpressionParser(lexer))) : [];
  return { kind: "stats", columns, uses, by };
}

function sortKey(lexer: Lexer): { readonly of: Expression; readonly isDescending: boolean } {
  const { start } = lexer.next;
  const parsed = new ExpressionParser(lexer, []).parse();
  const written = lexer.text.slice(start, lexer.lastEnd).trim();
  // After stats a column is called by what was written there, e.g. count(*).
  const of: Expression = (line) => line.get(written) ?? parsed(line);
  const isDescending = lexer.takes("desc");
  if (!isDescending) lexer.takes("asc");
  return { of, isDescending };
}

function countOf(lexer: Lexer): number {
  const { kind, text, start, end } = lexer.take();
  const count = Number(text);
  if (kind !== "number" || !Number.isInteger(count) || count < 1 || count > maxRows)
    throw new QueryError(`limit takes a number from 1 to ${maxRows}`, start, Math.max(end, start + 1));
  return count;
}

/** parse FIELD "glob *" as a, or parse FIELD /(?<a>…)/; without a field, the message. */
function parsing(lexer: Lexer): Command {
  const isBare = lexer.next.kind === "text" || lexer.isNext("/");
  const of: Expression = isBare ? (line) => line.get("@message") : fieldOf(lexer);
  if (lexer.next.kind !== "text") return regexParsing(lexer, of);
  const { text, start, end } = lexer.take();
  lexer.expect("as");
  const names = list(lexer, () => nameIn(lexer));
  const pieces = text.split("*");
  if (names.length !== pieces.length - 1)
    throw new QueryError(
      `the pattern has ${pieces.length - 1} wildcards, and ${names.length} names follow`,
      start,
      end,
    );
  return { kind: "parse", of, names, extract: (value) => globbed(value, pieces) };
}

function fieldOf(lexer: Lexer): Expression {
  const name = nameIn(lexer);
  return (line) => line.get(name);
}

function regexParsing(lexer: Lexer, of: Expression): Command {
  const { start } = lexer.next;
  const regex = takeRegex(lexer);
  if (regex.names.length === 0)
    throw new QueryError("the regular expression needs named groups such as (?<name>…)", start, lexer.lastEnd);
  const extract: Extraction = (value) => {
    const found = regex.match(value);
    return found && regex.names.map((name) => found.named[name] ?? "");
  };
  return { kind: "parse", of, names: regex.names, extract };
}

/** What stands between the pieces, each taken where it comes first; undefined where one does not come. */
function globbed(value: string, [first = "", ...others]: readonly string[]): readonly string[] | undefined {
  let at = value.indexOf(first);
  if (at < 0) return undefined;
  at += first.length;
  const caught: string[] = [];
  for (const [index, piece] of others.entries()) {
    const isLast = index === others.length - 1;
    const next = piece === "" && isLast ? value.length : value.indexOf(piece, at);
    if (next < 0) return undefined;
    caught.push(value.slice(at, next));
    at = next + piece.length;
  }
  return caught;
}
