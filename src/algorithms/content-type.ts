// Content types with their parameters, and the choice an Accept header makes. RFC 9110, sections 8.3 and 12.5.1.

export interface ContentType {
  /** Lower case, e.g. "text/csv". */
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export function parseContentType(text: string): ContentType {
  const [type = "", ...rest] = text.split(";");
  const parameters = rest.map((part): readonly [string, string] => {
    const at = part.indexOf("=");
    const name = at < 0 ? part : part.slice(0, at);
    const value = at < 0 ? "" : part.slice(at + 1).trim();
    return [name.trim().toLowerCase(), value.replace(/^"(.*)"$/, "$1")];
  });
  return {
    type: type.trim().toLowerCase(),
    parameters: Object.fromEntries(parameters.filter(([name]) => name !== "")),
  };
}

const matches = (range: string, offer: string): boolean =>
  range === "" ||
  range === "*/*" ||
  range === "*" ||
  range === offer ||
  (range.endsWith("/*") && offer.startsWith(range.slice(0, -1)));

/** The best offer for an Accept header; undefined when it takes none. Without a header, the first offer. */
export function chooseOffer(accept: string | undefined, offers: readonly string[]): string | undefined {
  const ranges = (accept ?? "*/*").split(",").map((text, index) => {
    const { type, parameters } = parseContentType(text);
    return { type, index, quality: parameters["q"] === undefined ? 1 : Number(parameters["q"]) };
  });
  ranges.sort((a, b) => b.quality - a.quality || a.index - b.index);
  for (const { type, quality } of ranges) {
    const offer = quality > 0 ? offers.find((each) => matches(type, each)) : undefined;
    if (offer) return offer;
  }
  return undefined;
}

/** `label_size` of a CSV content type: how many leading columns are labels. */
export function labelSizeOf({ parameters }: ContentType, fallback: number): number {
  const text = parameters["label_size"];
  const size = Number(text ?? fallback);
  return Number.isInteger(size) && size >= 0 ? size : fallback;
}
