// Expressions of a query, by recursive descent: OR, AND, NOT, comparison, sum, product, sign, operand.
import type { AggregateExpression, AggregateName, CastType, Expression, Step } from "./expression.ts";
import { selectError, unexpectedToken } from "./select-errors.ts";
import type { TokenStream } from "./token-stream.ts";

const aggregateNames: ReadonlySet<string> = new Set(["COUNT", "SUM", "AVG", "MIN", "MAX"]);

const castTypes: ReadonlyMap<string, CastType> = new Map([
  ["INT", "integer"],
  ["INTEGER", "integer"],
  ["FLOAT", "number"],
  ["DOUBLE", "number"],
  ["DECIMAL", "number"],
  ["NUMERIC", "number"],
  ["STRING", "string"],
  ["VARCHAR", "string"],
  ["CHAR", "string"],
  ["BOOL", "boolean"],
  ["BOOLEAN", "boolean"],
]);

/** Number of arguments, from and to. */
const functions: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["LOWER", [1, 1]],
  ["UPPER", [1, 1]],
  ["CHAR_LENGTH", [1, 1]],
  ["CHARACTER_LENGTH", [1, 1]],
  ["COALESCE", [1, 100]],
  ["NULLIF", [2, 2]],
]);

const reserved: ReadonlySet<string> = new Set(
  "SELECT FROM WHERE AND OR NOT IN LIKE BETWEEN IS LIMIT AS ESCAPE GROUP ORDER JOIN HAVING UNION".split(" "),
);

const maxDepth = 64;

export class ExpressionParser {
  readonly #tokens: TokenStream;
  readonly aggregates: AggregateExpression[] = [];
  #depth = 0;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  expression(): Expression {
    if (++this.#depth > maxDepth) throw selectError("ExpressionTooLong", "The SQL expression nests too deeply.");
    let left = this.#conjunction();
    while (this.#tokens.takesKeyword("OR")) left = { kind: "or", left, right: this.#conjunction() };
    this.#depth--;
    return left;
  }

  #conjunction(): Expression {
    let left = this.#negation();
    while (this.#tokens.takesKeyword("AND")) left = { kind: "and", left, right: this.#negation() };
    return left;
  }

  #negation(): Expression {
    let isNot = false;
    while (this.#tokens.takesKeyword("NOT")) isNot = !isNot;
    const of = this.#comparison();
    return isNot ? { kind: "not", of } : of;
  }

  #comparison(): Expression {
    const left = this.#sum();
    const operator = this.#tokens.takesSymbol("=", "<>", "!=", "<", "<=", ">", ">=");
    if (operator) return { kind: "compare", operator, left, right: this.#sum() };
    if (this.#tokens.takesKeyword("IS")) return this.#is(left);
    const isNot = this.#tokens.takesKeyword("NOT") !== undefined;
    const found = this.#membership(left);
    if (found) return isNot ? { kind: "not", of: found } : found;
    if (isNot) throw unexpectedToken(this.#tokens.next.text);
    return left;
  }

  #is(of: Expression): Expression {
    const isNot = this.#tokens.takesKeyword("NOT") !== undefined;
    const wanted = this.#tokens.takesKeyword("NULL", "MISSING");
    if (!wanted) throw unexpectedToken(this.#tokens.next.text);
    const is: Expression = { kind: wanted === "NULL" ? "is-null" : "is-missing", of };
    return isNot ? { kind: "not", of: is } : is;
  }

  #membership(of: Expression): Expression | undefined {
    const tokens = this.#tokens;
    if (tokens.takesKeyword("LIKE")) {
      const pattern = this.#sum();
      return tokens.takesKeyword("ESCAPE")
        ? { kind: "like", of, pattern, escape: this.#sum() }
        : { kind: "like", of, pattern };
    }
    if (tokens.takesKeyword("IN")) {
      tokens.needSymbol("(");
      return { kind: "in", of, options: this.#list() };
    }
    if (!tokens.takesKeyword("BETWEEN")) return undefined;
    const low = this.#sum();
    tokens.needKeyword("AND");
    return { kind: "between", of, low, high: this.#sum() };
  }

  /** Behind the opening bracket, to the closing one. */
  #list(): Expression[] {
    const expressions = [this.expression()];
    while (this.#tokens.takesSymbol(",")) expressions.push(this.expression());
    this.#tokens.needSymbol(")");
    return expressions;
  }

  #sum(): Expression {
    let left = this.#product();
    for (;;) {
      const operator = this.#tokens.takesSymbol("+", "-", "||");
      if (!operator) return left;
      left = { kind: "arithmetic", operator, left, right: this.#product() };
    }
  }

  #product(): Expression {
    let left = this.#signed();
    for (;;) {
      const operator = this.#tokens.takesSymbol("*", "/", "%");
      if (!operator) return left;
      left = { kind: "arithmetic", operator, left, right: this.#signed() };
    }
  }

  #signed(): Expression {
    let isNegative = false;
    for (;;) {
      const sign = this.#tokens.takesSymbol("+", "-");
      if (!sign) break;
      if (sign === "-") isNegative = !isNegative;
    }
    const of = this.#operand();
    return isNegative ? { kind: "negative", of } : of;
  }

  #operand(): Expression {
    const tokens = this.#tokens;
    if (tokens.takesSymbol("(")) {
      const inner = this.expression();
      tokens.needSymbol(")");
      return inner;
    }
    const token = tokens.take();
    if (token.kind === "string") return { kind: "literal", value: token.text };
    if (token.kind === "number") return { kind: "literal", value: Number(token.text) };
    if (token.kind === "quoted") return { kind: "path", steps: this.steps({ name: token.text, isExact: true }) };
    if (token.kind !== "word" || reserved.has(token.keyword)) throw unexpectedToken(token.text);
    if (token.keyword === "NULL" || token.keyword === "MISSING") return { kind: "literal", value: null };
    if (token.keyword === "TRUE" || token.keyword === "FALSE")
      return { kind: "literal", value: token.keyword === "TRUE" };
    if (tokens.takesSymbol("(")) return this.#call(token.keyword);
    return { kind: "path", steps: this.steps({ name: token.text, isExact: false }) };
  }

  /** What follows a name: .name, ["name"] or [0]. */
  steps(first: Step): Step[] {
    const steps: Step[] = [first];
    for (;;) {
      if (this.#tokens.takesSymbol(".")) {
        const { kind, text } = this.#tokens.take();
        if (kind !== "word" && kind !== "quoted") throw unexpectedToken(text);
        steps.push({ name: text, isExact: kind === "quoted" });
      } else if (this.#tokens.takesSymbol("[")) {
        const { kind, text } = this.#tokens.take();
        if (kind === "number") steps.push({ index: Number(text) });
        else if (kind === "string") steps.push({ name: text, isExact: true });
        else throw unexpectedToken(text);
        this.#tokens.needSymbol("]");
      } else {
        return steps;
      }
    }
  }

  #call(name: string): Expression {
    if (aggregateNames.has(name)) return this.#aggregate(name as AggregateName);
    if (name === "CAST") return this.#cast();
    if (name === "TRIM") return this.#trim();
    if (name === "SUBSTRING") return this.#substring();
    const arity = functions.get(name);
    if (!arity) throw selectError("UnsupportedFunction", `Encountered an unsupported SQL function: ${name}`);
    const given = this.#list();
    if (given.length < arity[0] || given.length > arity[1]) {
      throw selectError("EvaluatorInvalidArguments", `Incorrect number of arguments in the function call: ${name}`);
    }
    return { kind: "call", name, arguments: given };
  }

  #aggregate(name: AggregateName): Expression {
    const isStar = name === "COUNT" && this.#tokens.takesSymbol("*") !== undefined;
    const of = isStar ? undefined : this.expression();
    this.#tokens.needSymbol(")");
    const aggregate: AggregateExpression = { kind: "aggregate", name, of, slot: this.aggregates.length };
    this.aggregates.push(aggregate);
    return aggregate;
  }

  #cast(): Expression {
    const of = this.expression();
    this.#tokens.needKeyword("AS");
    const { keyword, text } = this.#tokens.take();
    const type = castTypes.get(keyword);
    if (!type) throw selectError("ParseExpectedTypeName", `Did not find a type that a CAST can have: ${text}`);
    if (this.#tokens.takesSymbol("(")) {
      while (!this.#tokens.takesSymbol(")")) {
        const { kind, text: inside } = this.#tokens.take();
        if (kind !== "number" && inside !== ",") throw unexpectedToken(inside);
      }
    }
    this.#tokens.needSymbol(")");
    return { kind: "cast", of, type };
  }

  /** TRIM([LEADING | TRAILING | BOTH] [characters] FROM text) or TRIM(text). */
  #trim(): Expression {
    const side = this.#tokens.takesKeyword("LEADING", "TRAILING", "BOTH") ?? "BOTH";
    const space: Expression = { kind: "literal", value: " " };
    const first = this.#tokens.next.keyword === "FROM" ? space : this.expression();
    const hasFrom = this.#tokens.takesKeyword("FROM") !== undefined;
    const of = hasFrom ? this.expression() : first;
    this.#tokens.needSymbol(")");
    return { kind: "call", name: `TRIM ${side}`, arguments: [of, hasFrom ? first : space] };
  }

  /** SUBSTRING(text, start, length) or SUBSTRING(text FROM start FOR length); the length may be left out. */
  #substring(): Expression {
    const given = [this.expression()];
    const hasWords = this.#tokens.takesKeyword("FROM") !== undefined;
    if (!hasWords) this.#tokens.needSymbol(",");
    given.push(this.expression());
    const hasLength = hasWords ? this.#tokens.takesKeyword("FOR") : this.#tokens.takesSymbol(",");
    if (hasLength) given.push(this.expression());
    this.#tokens.needSymbol(")");
    return { kind: "call", name: "SUBSTRING", arguments: given };
  }
}
