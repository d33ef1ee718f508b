// Reads a metric math expression by recursive descent: or, and, comparison, sum, product, power, sign, primary.
import { ExpressionError, tokensOf, type Token } from "./tokens.ts";

export type BinaryOperator = "+" | "-" | "*" | "/" | "^" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "AND" | "OR";

export type Node =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  /** Of another query; or a word such as REPEAT, where a function knows it. */
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "array"; readonly items: readonly Node[] }
  | { readonly kind: "negation"; readonly of: Node }
  | { readonly kind: "binary"; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Node[] };

const maxDepth = 50;

const levels: readonly (readonly BinaryOperator[])[] = [
  ["OR"],
  ["AND"],
  ["<", "<=", ">", ">=", "==", "!="],
  ["+", "-"],
  ["*", "/"],
];

const sameOperator: Readonly<Record<string, BinaryOperator>> = { "&&": "AND", "||": "OR" };

/** Throws ExpressionError. */
export function parseExpression(expression: string): Node {
  const parser = new Parser(tokensOf(expression));
  const node = parser.level(0);
  parser.expectEnd();
  return node;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #token(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "", at: 0 };
  }

  level(level: number): Node {
    const operators = levels[level];
    if (!operators) return this.#power();
    if (++this.#depth > maxDepth * levels.length) throw new ExpressionError("The expression is nested too deeply");
    let left = this.level(level + 1);
    for (;;) {
      const operator = this.#operatorOf(operators);
      if (!operator) break;
      this.#at++;
      left = { kind: "binary", operator, left, right: this.level(level + 1) };
    }
    this.#depth--;
    return left;
  }

  expectEnd(): void {
    if (this.#token.kind !== "end") throw this.#unexpected();
  }

  #operatorOf(operators: readonly BinaryOperator[]): BinaryOperator | undefined {
    const { kind, text } = this.#token;
    if (kind !== "operator" && kind !== "name") return undefined;
    const wanted = sameOperator[text] ?? text;
    return operators.find((operator) => operator === wanted);
  }

  /** To the right: 2 ^ 3 ^ 2 is 2 ^ 9; a sign binds less. */
  #power(): Node {
    if (this.#take("-")) return { kind: "negation", of: this.#deeper(() => this.#power()) };
    if (this.#take("+")) return this.#deeper(() => this.#power());
    const base = this.#primary();
    if (!this.#take("^")) return base;
    return { kind: "binary", operator: "^", left: base, right: this.#deeper(() => this.#power()) };
  }

  #deeper(parse: () => Node): Node {
    if (++this.#depth > maxDepth * levels.length) throw new ExpressionError("The expression is nested too deeply");
    const node = parse();
    this.#depth--;
    return node;
  }

  #primary(): Node {
    const token = this.#token;
    if (token.kind === "end") throw this.#unexpected();
    this.#at++;
    if (token.kind === "number") return { kind: "number", value: Number(token.text) };
    if (token.kind === "text") return { kind: "text", value: token.text };
    if (token.kind === "name")
      return this.#take("(")
        ? { kind: "call", name: token.text, arguments: this.#listTo(")") }
        : { kind: "name", name: token.text };
    if (token.text === "[") return { kind: "array", items: this.#listTo("]") };
    if (token.text === "(") {
      const inner = this.level(0);
      this.#expect(")");
      return inner;
    }
    this.#at--;
    throw this.#unexpected();
  }

  #listTo(closing: string): readonly Node[] {
    const items: Node[] = [];
    if (this.#take(closing)) return items;
    do items.push(this.level(0));
    while (this.#take(","));
    this.#expect(closing);
    return items;
  }

  #take(text: string): boolean {
    if (this.#token.kind !== "operator" || this.#token.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected();
  }

  #unexpected(): ExpressionError {
    const { kind, text, at } = this.#token;
    return new ExpressionError(
      kind === "end" ? "Unexpected end of the expression" : `Unexpected '${text}' at position ${at + 1}`,
    );
  }
}

/** Every name that a node speaks of, functions aside. */
export function namesIn(node: Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (inner: Node): void => {
    if (inner.kind === "name") names.add(inner.name);
    else for (const child of childrenOf(inner)) visit(child);
  };
  visit(node);
  return names;
}

export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "array":
      return node.items;
    case "call":
      return node.arguments;
    case "binary":
      return [node.left, node.right];
    case "negation":
      return [node.of];
    case "number":
    case "text":
    case "name":
      return [];
  }
}
