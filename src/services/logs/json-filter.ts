// JSON filter patterns: { $.a.b[0] = "x*" && ($.n > 3 || $.gone NOT EXISTS) }. A line that is no JSON never matches.
import { invalidParameter } from "./errors.ts";

type Test = (document: unknown) => boolean;

const tokenPattern =
  /\s*(?:(&&|\|\||[(){}]|!=|<=|>=|=|<|>)|"((?:[^"\\]|\\.)*)"|(\$(?:\.[\w-]+|\[\d+\]|\["[^"]*"\]|\['[^']*'\])+)|([^\s(){}=<>!&|"]+))/y;

type Token =
  | { readonly kind: "mark" | "text" | "word"; readonly text: string }
  | { readonly kind: "path"; readonly path: readonly string[] };

/** Throws InvalidParameterException when the pattern cannot be understood. */
export function parseJsonFilter(pattern: string): (message: string) => boolean {
  const tokens = tokenize(pattern);
  const parser = new Parser(tokens.slice(1, -1));
  const isBraced = isMark(tokens[0], "{") && isMark(tokens.at(-1), "}");
  if (!isBraced) throw invalidPattern();
  const test = parser.whole();
  return (message) => {
    if (!message.trimStart().startsWith("{")) return false;
    const document = parsed(message);
    return document !== undefined && test(document);
  };
}

const invalidPattern = () => invalidParameter("Invalid filter pattern");

const isMark = (token: Token | undefined, text: string): boolean => token?.kind === "mark" && token.text === text;

function parsed(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    // Not JSON: no match, as on AWS.
    return undefined;
  }
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new RegExp(tokenPattern);
  const length = pattern.trimEnd().length;
  while (scanner.lastIndex < length) {
    const match = scanner.exec(pattern);
    if (!match) throw invalidPattern();
    const [, mark, text, path, word = ""] = match;
    if (mark !== undefined) tokens.push({ kind: "mark", text: mark });
    else if (text !== undefined) tokens.push({ kind: "text", text: text.replace(/\\(.)/g, "$1") });
    else if (path !== undefined) tokens.push({ kind: "path", path: stepsOf(path) });
    else tokens.push({ kind: "word", text: word });
  }
  return tokens;
}

const stepsOf = (path: string): string[] =>
  [...path.matchAll(/\.([\w-]+)|\[(\d+)\]|\["([^"]*)"\]|\['([^']*)'\]/g)].map(
    ([, name, index, double, single]) => name ?? index ?? double ?? single ?? "",
  );

function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

const comparisons: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  "<": (left, right) => left < right,
  ">": (left, right) => left > right,
  "<=": (left, right) => left <= right,
  ">=": (left, right) => left >= right,
};

/** `*` stands for any text. Linear in the text, whatever the pattern. */
function isLike(text: string, pattern: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return text === pattern;
  if (!text.startsWith(head) || !text.endsWith(tail)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - tail.length;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Test {
    const test = this.#either();
    if (this.#next < this.#tokens.length) throw invalidPattern();
    return test;
  }

  #take(text: string): boolean {
    const isNext = isMark(this.#tokens[this.#next], text);
    if (isNext) this.#next++;
    return isNext;
  }

  #either(): Test {
    const tests = [this.#both()];
    while (this.#take("||")) tests.push(this.#both());
    return (document) => tests.some((test) => test(document));
  }

  #both(): Test {
    const tests = [this.#one()];
    while (this.#take("&&")) tests.push(this.#one());
    return (document) => tests.every((test) => test(document));
  }

  #one(): Test {
    if (this.#take("(")) {
      const test = this.#either();
      if (!this.#take(")")) throw invalidPattern();
      return test;
    }
    const subject = this.#tokens[this.#next++];
    if (subject?.kind !== "path") throw invalidPattern();
    const operator = this.#tokens[this.#next++];
    if (operator?.kind === "word") return this.#state(subject.path, operator.text.toUpperCase());
    if (operator?.kind === "mark") return this.#comparison(subject.path, operator.text);
    throw invalidPattern();
  }

  #state(path: readonly string[], verb: string): Test {
    const object = this.#tokens[this.#next];
    const state = verb === "EXISTS" ? verb : `${verb} ${object?.kind === "word" ? object.text.toUpperCase() : ""}`;
    if (verb !== "EXISTS") this.#next++;
    switch (state) {
      case "EXISTS":
        return (document) => valueAt(document, path) !== undefined;
      case "NOT EXISTS":
        return (document) => valueAt(document, path) === undefined;
      case "IS NULL":
        return (document) => valueAt(document, path) === null;
      case "IS TRUE":
        return (document) => valueAt(document, path) === true;
      case "IS FALSE":
        return (document) => valueAt(document, path) === false;
      default:
        throw invalidPattern();
    }
  }

  #comparison(path: readonly string[], operator: string): Test {
    const operand = this.#tokens[this.#next++];
    if (operand?.kind !== "text" && operand?.kind !== "word") throw invalidPattern();
    const { text } = operand;
    if (operator === "=" || operator === "!=") {
      const number = operand.kind === "word" ? Number(text) : Number.NaN;
      const isEqual = (value: unknown): boolean =>
        typeof value === "number" ? value === number : typeof value === "string" && isLike(value, text);
      const isNegated = operator === "!=";
      return (document) => {
        const value = valueAt(document, path);
        return value !== undefined && isEqual(value) !== isNegated;
      };
    }
    const compare = comparisons[operator];
    const limit = Number(text);
    if (!compare || operand.kind !== "word" || Number.isNaN(limit)) throw invalidPattern();
    return (document) => {
      const value = valueAt(document, path);
      return typeof value === "number" && compare(value, limit);
    };
  }
}
