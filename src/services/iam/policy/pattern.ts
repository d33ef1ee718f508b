// Patterns of policies: `*` is any text, `?` any one character, `${key}` the request's value of that key, taken literally.
// Patterns and texts are hostile, so nothing backtracks: each piece between stars is looked for once, from where the last one ended.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

/** The one value of a condition key; undefined where the request has none, or several. */
export type ResolveVariable = (key: string) => string | undefined;

export interface Pattern {
  /** False where a variable of the pattern has no value. */
  matches(text: string, resolve: ResolveVariable): boolean;
}

interface Variable {
  readonly key: string;
  readonly fallback: string | undefined;
}

/** Literal text, a wildcard, or a variable. */
type Part = { readonly text: string } | { readonly wildcard: "*" | "?" } | Variable;

/** What stands between two stars; `free` holds the places of question marks. */
interface Piece {
  readonly text: string;
  readonly free: ReadonlySet<number> | undefined;
}

const token = /\$\{([^}]*)\}|[*?]/g;
const literals: ReadonlySet<string> = new Set(["*", "?", "$"]);

function variable(body: string): Part {
  if (literals.has(body)) return { text: body };
  const [, key = body, fallback] = /^([^,]*),\s*'([^']*)'\s*$/.exec(body) ?? [];
  return { key: key.trim().toLowerCase(), fallback };
}

function partsOf(source: string, hasVariables: boolean): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of source.matchAll(token)) {
    const body = match[1];
    if (body !== undefined && !hasVariables) continue;
    if (match.index > at) parts.push({ text: source.slice(at, match.index) });
    if (body === undefined) parts.push({ wildcard: match[0] === "*" ? "*" : "?" });
    else parts.push(variable(body));
    at = match.index + match[0].length;
  }
  if (at < source.length) parts.push({ text: source.slice(at) });
  return parts;
}

class Pieces {
  readonly #done: Piece[] = [];
  #text = "";
  #free: Set<number> | undefined;

  add(text: string): void {
    this.#text += text;
  }

  addFree(): void {
    (this.#free ??= new Set()).add(this.#text.length);
    this.#text += "?";
  }

  star(): void {
    this.#done.push({ text: this.#text, free: this.#free });
    this.#text = "";
    this.#free = undefined;
  }

  end(): readonly Piece[] {
    this.star();
    return this.#done;
  }
}

function startsAt({ text: piece, free }: Piece, text: string, at: number): boolean {
  if (at < 0 || at + piece.length > text.length) return false;
  if (!free) return text.startsWith(piece, at);
  for (let place = 0; place < piece.length; place += 1)
    if (!free.has(place) && piece.charCodeAt(place) !== text.charCodeAt(at + place)) return false;
  return true;
}

function find(piece: Piece, text: string, from: number): number {
  if (!piece.free) return text.indexOf(piece.text, from);
  for (let at = from; at + piece.text.length <= text.length; at += 1) if (startsAt(piece, text, at)) return at;
  return -1;
}

/** Each piece is taken as early as it comes: with `*` as the only repetition, no later place can do better. */
function matchPieces(pieces: readonly Piece[], text: string): boolean {
  const [first, ...rest] = pieces;
  const last = rest.pop();
  if (!first || !startsAt(first, text, 0)) return false;
  let at = first.text.length;
  if (!last) return at === text.length;
  for (const piece of rest) {
    const found = find(piece, text, at);
    if (found < 0) return false;
    at = found + piece.text.length;
  }
  const end = text.length - last.text.length;
  return end >= at && startsAt(last, text, end);
}

function piecesOf(parts: readonly Part[], resolve: ResolveVariable): readonly Piece[] | undefined {
  const pieces = new Pieces();
  for (const part of parts) {
    if ("text" in part) pieces.add(part.text);
    else if (!("wildcard" in part)) {
      const value = resolve(part.key) ?? part.fallback;
      if (value === undefined) return undefined;
      pieces.add(value);
    } else if (part.wildcard === "*") pieces.star();
    else pieces.addFree();
  }
  return pieces.end();
}

const isVariable = (part: Part): part is Variable => "key" in part;

export interface PatternOptions {
  /** Policies of version 2012-10-17 have variables; in older ones `${` is text. */
  readonly hasVariables: boolean;
  /** With it, the caller lower-cases both. */
  readonly hasWildcards?: boolean;
}

/** `variables` collects the keys that the pattern asks for, in lower case. */
export function compilePattern(
  source: string,
  { hasVariables, hasWildcards = true }: PatternOptions,
  variables?: Set<string>,
): Pattern {
  if (source === "*" && hasWildcards) return { matches: () => true };
  const all = partsOf(source, hasVariables);
  const parts = hasWildcards ? all : all.map((part) => ("wildcard" in part ? { text: part.wildcard } : part));
  const asked = parts.filter(isVariable);
  for (const { key } of asked) variables?.add(key);
  if (asked.length > 0) {
    return {
      matches: (text, resolve) => {
        const pieces = piecesOf(parts, resolve);
        return pieces !== undefined && matchPieces(pieces, text);
      },
    };
  }
  const pieces = piecesOf(parts, () => undefined) ?? [];
  const [only] = pieces;
  if (pieces.length === 1 && only && !only.free) return { matches: (text) => text === only.text };
  return { matches: (text) => matchPieces(pieces, text) };
}
