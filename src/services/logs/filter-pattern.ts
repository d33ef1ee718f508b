// Filter patterns of CloudWatch Logs: terms, "phrases", ?either ?or, -without, and JSON selectors (json-filter.ts).
// Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail".
import { invalidParameter } from "./errors.ts";
import { parseJsonFilter } from "./json-filter.ts";

/** Case-sensitive. */
export type LineTest = (message: string) => boolean;

interface Term {
  readonly sign: string;
  readonly text: string;
}

/** Throws InvalidParameterException for a pattern that cannot be understood or is of a kind that Salvia lacks. */
export function parseFilterPattern(pattern: string): LineTest {
  const trimmed = pattern.trim();
  if (trimmed === "") return () => true;
  if (trimmed.startsWith("{")) return parseJsonFilter(trimmed);
  if (trimmed.startsWith("["))
    throw invalidParameter("Space-delimited filter patterns are not implemented by Salvia yet.");
  const terms = parseTerms(trimmed);
  const texts = (sign: string): string[] => terms.filter((term) => term.sign === sign).map((term) => term.text);
  const [required, excluded, either] = [texts(""), texts("-"), texts("?")];
  // AWS ignores the question mark's terms beside others.
  if (required.length === 0 && excluded.length === 0) return (message) => either.some((text) => message.includes(text));
  return (message) =>
    required.every((text) => message.includes(text)) && !excluded.some((text) => message.includes(text));
}

function parseTerms(pattern: string): Term[] {
  const terms: Term[] = [];
  const term = /\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)/y;
  while (term.lastIndex < pattern.length) {
    const match = term.exec(pattern);
    if (!match) throw invalidParameter("Invalid filter pattern");
    const [, sign = "", phrase, word = ""] = match;
    if (/^%.*%$/.test(word))
      throw invalidParameter("Regular expressions in filter patterns are not implemented by Salvia yet.");
    terms.push({ sign, text: phrase?.replace(/\\(.)/g, "$1") ?? word });
  }
  return terms;
}
