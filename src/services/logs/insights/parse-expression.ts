// Expressions of the query language, compiled to functions of a line: or, and, not, comparison, sum, product, power, sign.
import { linearRegex, RegexProblem, type LinearRegex } from "../../../lib/linear-regex.ts";
import { aggregates, functions, type Aggregate } from "./functions.ts";
import type { Lexer } from "./lexer.ts";
import { QueryError } from "./query-error.ts";
import { compare, durationMs, isTrue, numberOf, textOf, Time, type Fields, type Value } from "./values.ts";

export type Expression = (line: Fields) => Value;

/** One use of an aggregate: its value is found under `name` once the group is complete. */
export interface AggregateUse {
  readonly name: string;
  readonly start: () => Aggregate;
  readonly of: Expression;
}

const maxDepth = 60;

type Compiler = (left: Expression, right: Expression) => Expression;

const arithmetic =
  (of: (a: number, b: number) => number): Compiler =>
  (left, right) =>
  (line) => {
    const [a, b] = [numberOf(left(line)), numberOf(right(line))];
    if (a === undefined || b === undefined) return undefined;
    const value = of(a, b);
    return Number.isFinite(value) ? value : undefined;
  };

const compared =
  (of: (order: number) => boolean): Compiler =>
  (left, right) =>
  (line) => {
    const [a, b] = [left(line), right(line)];
    return a !== undefined && b !== undefined && of(compare(a, b));
  };

const comparisons: Readonly<Record<string, Compiler>> = {
  "=": compared((order) => order === 0),
  "!=": (left, right) => (line) => compare(left(line), right(line)) !== 0,
  "<": compared((order) => order < 0),
  "<=": compared((order) => order <= 0),
  ">": compared((order) => order > 0),
  ">=": compared((order) => order >= 0),
};

const levels: readonly Readonly<Record<string, Compiler>>[] = [
  { "+": arithmetic((a, b) => a + b), "-": arithmetic((a, b) => a - b) },
  { "*": arithmetic((a, b) => a * b), "/": arithmetic((a, b) => a / b), "%": arithmetic((a, b) => a % b) },
  { "^": arithmetic((a, b) => a ** b) },
];

/** A pattern between slashes, or a text that is one. */
export function takeRegex(lexer: Lexer): LinearRegex {
  const found = lexer.takesRegex();
  const { source, start, end } = found ?? { ...lexer.next, source: lexer.next.text };
  if (!found) {
    if (lexer.next.kind !== "text") throw lexer.unexpected("expected a regular expression");
    lexer.take();
  }
  try {
    return linearRegex(source);
  } catch (error) {
    if (error instanceof RegexProblem) throw new QueryError(error.message, start, end);
    throw error;
  }
}

export class ExpressionParser {
  readonly #lexer: Lexer;
  readonly #uses: AggregateUse[] | undefined;
  #depth = 0;

  /** `uses` collects aggregates; without it they are refused. */
  constructor(lexer: Lexer, uses?: AggregateUse[]) {
    this.#lexer = lexer;
    this.#uses = uses;
  }

  /** Throws QueryError. */
  parse(): Expression {
    if (++this.#depth > maxDepth) throw this.#lexer.unexpected("the expression is nested too deeply");
    let left = this.#and();
    while (this.#lexer.takes("or")) left = either(left, this.#and());
    this.#depth--;
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#lexer.takes("and")) left = both(left, this.#not());
    return left;
  }

  #not(): Expression {
    if (!this.#lexer.takes("not")) return this.#comparison();
    if (++this.#depth > maxDepth) throw this.#lexer.unexpected("the expression is nested too deeply");
    const inner = this.#not();
    this.#depth--;
    return (line) => !isTrue(inner(line));
  }

  #comparison(): Expression {
    const left = this.#level(0);
    const lexer = this.#lexer;
    if (lexer.takes("not")) {
      const inner = this.#membership(left);
      if (!inner) throw lexer.unexpected("expected 'like' or 'in'");
      return (line) => inner(line) !== true;
    }
    const membership = this.#membership(left);
    if (membership) return membership;
    const { kind, text } = lexer.next;
    const comparison = kind === "operator" && Object.hasOwn(comparisons, text) ? comparisons[text] : undefined;
    if (!comparison) return left;
    lexer.take();
    return comparison(left, this.#level(0));
  }

  /** like, =~ and in. */
  #membership(left: Expression): Expression | undefined {
    const lexer = this.#lexer;
    if (lexer.takes("like")) return this.#like(left);
    if (lexer.takes("=~")) return matching(left, takeRegex(lexer));
    if (!lexer.takes("in")) return undefined;
    lexer.expect("[");
    const items: Expression[] = [];
    if (!lexer.isNext("]"))
      do items.push(this.#level(0));
      while (lexer.takes(","));
    lexer.expect("]");
    return (line) => {
      const value = left(line);
      return value !== undefined && items.some((item) => compare(value, item(line)) === 0);
    };
  }

  #like(left: Expression): Expression {
    const { kind, text } = this.#lexer.next;
    if (kind !== "text") return matching(left, takeRegex(this.#lexer));
    this.#lexer.take();
    return (line) => textOf(left(line))?.includes(text) ?? false;
  }

  #level(level: number): Expression {
    const operators = levels[level];
    if (!operators) return this.#sign();
    let left = this.#level(level + 1);
    for (;;) {
      const { kind, text } = this.#lexer.next;
      const operator = kind === "operator" && Object.hasOwn(operators, text) ? operators[text] : undefined;
      if (!operator) return left;
      this.#lexer.take();
      left = operator(left, this.#level(level + 1));
    }
  }

  #sign(): Expression {
    if (!this.#lexer.takes("-")) return this.#primary();
    if (++this.#depth > maxDepth) throw this.#lexer.unexpected("the expression is nested too deeply");
    const inner = this.#sign();
    this.#depth--;
    return (line) => {
      const number = numberOf(inner(line));
      return number === undefined ? undefined : -number;
    };
  }

  #primary(): Expression {
    const lexer = this.#lexer;
    if (lexer.takes("(")) {
      const inner = this.parse();
      lexer.expect(")");
      return inner;
    }
    const { kind, text } = lexer.next;
    if (kind === "operator" || kind === "end") throw lexer.unexpected();
    const token = lexer.take();
    if (kind === "number") return constant(Number(text));
    if (kind === "text") return constant(text);
    if (kind === "duration") return constant(durationMs(text));
    if (kind === "word" && lexer.takes("(")) return this.#call(token.text, token.start);
    return (line) => line.get(text);
  }

  #call(written: string, start: number): Expression {
    const name = written.toLowerCase();
    if (Object.hasOwn(aggregates, name)) return this.#aggregate(name, start);
    const given = this.#arguments();
    if (name === "bin")
      return binned(given, new QueryError("bin takes a duration such as 5m", start, this.#lexer.lastEnd));
    const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (!found) throw new QueryError(`unknown function '${written}'`, start, this.#lexer.lastEnd);
    if (given.length < found.least || given.length > found.most)
      throw new QueryError(`wrong number of arguments for '${written}'`, start, this.#lexer.lastEnd);
    return (line) => found.of(given.map((argument) => argument(line)));
  }

  #arguments(): readonly Expression[] {
    const given: Expression[] = [];
    if (!this.#lexer.isNext(")"))
      do given.push(this.parse());
      while (this.#lexer.takes(","));
    this.#lexer.expect(")");
    return given;
  }

  #aggregate(name: string, start: number): Expression {
    const lexer = this.#lexer;
    const make = aggregates[name];
    if (!this.#uses || !make) throw new QueryError(`'${name}' can be used in stats only`, start, lexer.lastEnd);
    const isWhole = lexer.isNext("*") || lexer.isNext(")");
    if (isWhole && name !== "count") throw lexer.unexpected("expected a field");
    lexer.takes("*");
    const of = isWhole ? constant(1) : new ExpressionParser(lexer).parse();
    let parameter = 0;
    if (name === "pct") {
      lexer.expect(",");
      parameter = Number(lexer.take().text);
      if (!(parameter >= 0 && parameter <= 100))
        throw new QueryError("pct takes a percentage from 0 to 100", start, lexer.lastEnd);
    }
    lexer.expect(")");
    const use = { name: `\u0000${this.#uses.length}`, start: () => make(parameter), of };
    this.#uses.push(use);
    return (line) => line.get(use.name);
  }
}

const constant =
  (value: Value): Expression =>
  () =>
    value;

const either =
  (left: Expression, right: Expression): Expression =>
  (line) =>
    isTrue(left(line)) || isTrue(right(line));

const both =
  (left: Expression, right: Expression): Expression =>
  (line) =>
    isTrue(left(line)) && isTrue(right(line));

const matching =
  (left: Expression, regex: LinearRegex): Expression =>
  (line) => {
    const text = textOf(left(line));
    return text !== undefined && regex.test(text);
  };

function binned([step, ...rest]: readonly Expression[], problem: QueryError): Expression {
  const stepMs = numberOf(step?.({ get: () => undefined }));
  if (rest.length > 0 || stepMs === undefined || !(stepMs > 0)) throw problem;
  return (line) => {
    const at = line.get("@timestamp");
    return at instanceof Time ? new Time(Math.floor(at.ms / stepMs) * stepMs) : undefined;
  };
}
