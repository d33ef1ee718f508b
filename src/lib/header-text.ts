// Text of headers whose bytes are neither ASCII nor UTF-8: each such byte becomes a lone surrogate (U+DC80 to U+DCFF, as Python's
// "surrogateescape", PEP 383), so that what came in goes out again as it was.

const escapes = /[\udc80-\udcff]/g;

/** Latin-1 text, as Node reads header bytes. */
export const escapeBytes = (latin1: string): string =>
  latin1.replace(/[\u0080-\u00ff]/g, (character) => String.fromCharCode(0xdc00 + character.charCodeAt(0)));

/** The same text with the bytes as the Latin-1 characters that a client meant by them. */
export const unescapeBytes = (text: string): string =>
  text.replace(escapes, (surrogate) => String.fromCharCode(surrogate.charCodeAt(0) - 0xdc00));

export const hasEscapedBytes = (text: string): boolean => text.search(escapes) >= 0;
