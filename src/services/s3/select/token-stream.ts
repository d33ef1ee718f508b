import { selectError, unexpectedToken } from "./select-errors.ts";
import { tokensOf, type Token } from "./tokens.ts";

const end: Token = { kind: "end", text: "end of expression", keyword: "" };

/** Tokens in order, with one to look ahead. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? end;
  }

  take(): Token {
    const token = this.next;
    this.#at++;
    return token;
  }

  /** True, and past it, where the next token is one of these keywords. */
  takesKeyword(...keywords: readonly string[]): string | undefined {
    const { keyword } = this.next;
    if (!keywords.includes(keyword) || keyword === "") return undefined;
    this.#at++;
    return keyword;
  }

  takesSymbol(...symbols: readonly string[]): string | undefined {
    const { kind, text } = this.next;
    if (kind !== "symbol" || !symbols.includes(text)) return undefined;
    this.#at++;
    return text;
  }

  needKeyword(keyword: string): void {
    if (!this.takesKeyword(keyword)) {
      throw selectError("ParseExpectedKeyword", `Did not find the expected keyword ${keyword} in the SQL expression.`);
    }
  }

  needSymbol(symbol: string): void {
    if (!this.takesSymbol(symbol)) throw unexpectedToken(this.next.text);
  }
}
