// Regular expressions from outside, in time linear in the text: RE2's syntax, which has neither look-around nor
// back-references, so that no pattern can hold a process up. https://github.com/google/re2/wiki/Syntax
import { RE2JS, RE2JSSyntaxException } from "re2js";

export class RegexProblem extends Error {}

const maxPatternLength = 2_000;

export interface LinearRegex {
  /** Names of the groups that have one, in order of their first appearance. */
  readonly names: readonly string[];
  /** Steps of the compiled program, counted repeats written out: a character takes at most in proportion to it. */
  readonly steps: number;
  test(text: string): boolean;
  /** What the first match's groups caught, by name and by number from 0 (the whole); undefined without a match. */
  match(
    text: string,
  ): { readonly named: Readonly<Record<string, string>>; readonly groups: readonly (string | undefined)[] } | undefined;
}

/** Throws RegexProblem with the reason. */
export function linearRegex(pattern: string): LinearRegex {
  if (pattern.length > maxPatternLength)
    throw new RegexProblem(`the regular expression is longer than ${maxPatternLength} characters`);
  const compiled = compile(pattern);
  const names = Object.keys(compiled.namedGroups());
  return {
    names,
    steps: compiled.programSize(),
    test: (text) => compiled.test(text),
    match: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, at) => matcher.group(at) ?? undefined);
      const named = Object.fromEntries(names.map((name) => [name, matcher.group(name) ?? ""]));
      return { named, groups };
    },
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) throw new RegexProblem(error.message, { cause: error });
    throw error;
  }
}
