// Cuts a query into tokens.
import { selectError } from "./select-errors.ts";

export interface Token {
  readonly kind: "word" | "quoted" | "string" | "number" | "symbol" | "end";
  /** Words as written; strings and quoted names without their quotes. */
  readonly text: string;
  /** Of a word: in upper case, to compare with keywords. */
  readonly keyword: string;
}

const space = /\s+|--[^\n]*/y;
const patterns: readonly (readonly [Token["kind"], RegExp])[] = [
  ["string", /'((?:[^']|'')*)'/y],
  ["quoted", /"((?:[^"]|"")*)"/y],
  ["number", /(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y],
  ["word", /([A-Za-z_][A-Za-z0-9_$]*)/y],
  ["symbol", /(<>|!=|<=|>=|\|\||[-+*/%=<>(),.[\]])/y],
];

function tokenAt(text: string, at: number): { readonly token: Token; readonly end: number } {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[1];
    if (found === undefined) continue;
    const end = pattern.lastIndex;
    if (kind === "string") return { token: { kind, text: found.replaceAll("''", "'"), keyword: "" }, end };
    if (kind === "quoted") return { token: { kind, text: found.replaceAll('""', '"'), keyword: "" }, end };
    return { token: { kind, text: found, keyword: kind === "word" ? found.toUpperCase() : "" }, end };
  }
  const character = text[at] ?? "";
  const code = character === "'" || character === '"' ? "LexerInvalidLiteral" : "LexerInvalidChar";
  throw selectError(code, `The SQL expression contains an invalid character: ${character}`);
}

/** The last token is the end. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    space.lastIndex = at;
    while (space.test(text)) at = space.lastIndex;
    if (at >= text.length) break;
    const { token, end } = tokenAt(text, at);
    tokens.push(token);
    at = end;
  }
  tokens.push({ kind: "end", text: "end of expression", keyword: "" });
  return tokens;
}
