// Words of a Logs Insights query, read one at a time, since only the parser knows where a regular expression may stand.
import { QueryError } from "./query-error.ts";

export interface Token {
  /** word: a keyword, function or field; field: one in backticks; duration: 5m. */
  readonly kind: "word" | "field" | "number" | "duration" | "text" | "operator" | "end";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const blank = /(?:\s|#[^\n]*)*/y;
const pattern =
  /(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(ms|[smhdw]|mo|q|y)?(?![\w.])|([@A-Za-z_][\w.@]*)|`([^`]+)`|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(=~|!=|<=|>=|[-+*/%^()[\],|=<>])/y;
const regex = /\/((?:[^/\\\n]|\\.)+)\//y;

const unescaped = (text: string): string => text.replace(/\\(["'\\])/g, "$1");

export class Lexer {
  readonly text: string;
  #token: Token;
  /** Where the last token ended. */
  lastEnd = 0;

  constructor(text: string) {
    this.text = text;
    this.#token = this.#read(0);
  }

  get next(): Token {
    return this.#token;
  }

  take(): Token {
    const token = this.#token;
    this.lastEnd = token.end;
    this.#token = this.#read(token.end);
    return token;
  }

  /** True, and past it, where the next one is this word (in any case) or operator. */
  takes(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.take();
    return true;
  }

  isNext(text: string): boolean {
    const { kind, text: found } = this.#token;
    return (kind === "word" || kind === "operator") && found.toLowerCase() === text;
  }

  expect(text: string): void {
    if (!this.takes(text)) throw this.unexpected(`expected '${text}'`);
  }

  /** A regular expression between slashes, undefined where none stands here. */
  takesRegex(): { readonly source: string; readonly start: number; readonly end: number } | undefined {
    const { kind, text, start } = this.#token;
    if (kind !== "operator" || text !== "/") return undefined;
    regex.lastIndex = start;
    const found = regex.exec(this.text);
    if (!found) throw new QueryError("unterminated regular expression", start, this.text.length);
    const end = regex.lastIndex;
    this.lastEnd = end;
    this.#token = this.#read(end);
    return { source: (found[1] ?? "").replaceAll("\\/", "/"), start, end };
  }

  unexpected(hint?: string): QueryError {
    const { kind, text, start, end } = this.#token;
    const what = kind === "end" ? "unexpected end of the query" : `unexpected symbol found '${text}'`;
    return new QueryError(hint === undefined ? what : `${what}, ${hint}`, start, Math.max(end, start + 1));
  }

  #read(from: number): Token {
    blank.lastIndex = from;
    blank.exec(this.text);
    const start = blank.lastIndex;
    if (start >= this.text.length) return { kind: "end", text: "", start: this.text.length, end: this.text.length };
    pattern.lastIndex = start;
    const found = pattern.exec(this.text);
    if (!found) throw new QueryError(`unexpected symbol found '${this.text[start] ?? ""}'`, start, start + 1);
    return { ...wordOf(found), start, end: pattern.lastIndex };
  }
}

function wordOf([, number, unit, word, field, double, single, operator]: RegExpExecArray): Pick<
  Token,
  "kind" | "text"
> {
  if (number !== undefined) return { kind: unit === undefined ? "number" : "duration", text: number + (unit ?? "") };
  if (word !== undefined) return { kind: "word", text: word };
  if (field !== undefined) return { kind: "field", text: field };
  const text = double ?? single;
  return text === undefined ? { kind: "operator", text: operator ?? "" } : { kind: "text", text: unescaped(text) };
}
