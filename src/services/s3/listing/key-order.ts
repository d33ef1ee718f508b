// Keys are ordered by their UTF-8 bytes, which is the order of code points, not the one of JavaScript's `<`.

const highest = 0x10ffff;

/** The least string above every string that starts with `prefix`; undefined where there is none ("" or only U+10FFFF). */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === highest) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // Between D7FF and E000 lie the surrogates, which are no characters.
  points.push(last === 0xd7ff ? 0xe000 : last + 1);
  return String.fromCodePoint(...points);
}

export const compareKeys = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
