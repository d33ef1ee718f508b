// Text as it comes over the wire: UTF-8, percent-encoding, query strings. Everything is decoded exactly once.

/** One decoded name and value, in the order sent. */
export type QueryPair = readonly [name: string, value: string];

/** Undefined if the bytes are not UTF-8. A byte order mark is kept: it is part of the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // the only failure there is: malformed UTF-8
  }
}

/** Undefined if a percent sign starts no escape, or the escapes are not UTF-8. A plus sign stays one. */
export function decodePercent(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // URIError: the only failure there is
  }
}

/** Undefined if a name or value cannot be decoded. A plus sign is a space, as in forms. */
export function parseQuery(raw: string): QueryPair[] | undefined {
  const pairs: QueryPair[] = [];
  if (raw === "") return pairs;
  for (const part of raw.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decodeFormText(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decodeFormText(part.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

const decodeFormText = (text: string): string | undefined =>
  decodePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
