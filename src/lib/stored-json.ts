// JSON as the database stores it. Dates travel as {"$date": ms}, so that a request comes back as its handler saw it.

export const pack = (value: unknown): string =>
  JSON.stringify(value, function replace(this: Record<string, unknown>, key: string, packed: unknown) {
    const raw = this[key];
    return raw instanceof Date ? { $date: raw.getTime() } : packed;
  });

export const unpack = (text: string): unknown => {
  if (!text.includes('"$date"')) return JSON.parse(text) as unknown;
  return JSON.parse(text, (_, value: unknown) => {
    const isDate = typeof value === "object" && value !== null && "$date" in value && typeof value.$date === "number";
    return isDate ? new Date(value.$date as number) : value;
  });
};
