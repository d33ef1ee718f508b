// Statistics by their names: SampleCount … Maximum, p99.9, tm90, TM(10%:90%), PR(:300), IQM.
// Source: "CloudWatch statistics definitions" in the CloudWatch user guide.

export interface Totals {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** A value and how often it came, in order of value. */
export type Weighted = readonly { readonly value: number; readonly count: number }[];

export type Statistic =
  | { readonly needs: "totals"; of(totals: Totals): number }
  /** Undefined where no value is left to speak of. */
  | { readonly needs: "values"; of(values: Weighted): number | undefined };

const fromTotals: Readonly<Record<string, (totals: Totals) => number>> = {
  SampleCount: ({ count }) => count,
  Sum: ({ sum }) => sum,
  Average: ({ sum, count }) => sum / count,
  Minimum: ({ minimum }) => minimum,
  Maximum: ({ maximum }) => maximum,
};

const number = String.raw`\d+(?:\.\d{1,10})?`;
const percentilePattern = new RegExp(`^p(${number})$`);
const shortPattern = new RegExp(`^(tm|wm|tc|ts)(${number})$`);
const percentRange = new RegExp(String.raw`^(TM|WM|TC|TS)\((?:(${number})%)?:(?:(${number})%)?\)$`);
const valueRange = new RegExp(String.raw`^(TM|WM|TC|TS|PR)\((-?${number})?:(-?${number})?\)$`);

/** Undefined when there is no statistic of that name. */
export function parseStatistic(name: string): Statistic | undefined {
  const simple = Object.hasOwn(fromTotals, name) ? fromTotals[name] : undefined;
  if (simple) return { needs: "totals", of: simple };
  const percent = percentOf(percentilePattern.exec(name)?.[1]);
  if (percent !== undefined) return { needs: "values", of: (values) => percentile(values, percent / 100) };
  if (name === "IQM") return trimmed("TM", { low: 25, high: 75, isPercent: true });
  const [, verb, upTo] = shortPattern.exec(name) ?? [];
  const high = percentOf(upTo);
  if (verb !== undefined && high !== undefined) return trimmed(verb.toUpperCase(), { low: 0, high, isPercent: true });
  return parseRange(name);
}

function percentOf(text: string | undefined): number | undefined {
  const percent = text === undefined ? Number.NaN : Number(text);
  return percent <= 100 ? percent : undefined;
}

interface Range {
  readonly low: number;
  readonly high: number;
  readonly isPercent: boolean;
}

function parseRange(name: string): Statistic | undefined {
  const percents = percentRange.exec(name);
  const [, verb, low, high] = percents ?? valueRange.exec(name) ?? [];
  if (verb === undefined || (low === undefined && high === undefined)) return undefined;
  const [least, most] = percents ? [0, 100] : [-Infinity, Infinity];
  const range = { low: Number(low ?? least), high: Number(high ?? most), isPercent: percents !== null };
  return range.low < range.high && range.high <= most ? trimmed(verb, range) : undefined;
}

const countOf = (values: Weighted): number => values.reduce((sum, { count }) => sum + count, 0);
const sumOf = (values: Weighted): number => values.reduce((sum, { value, count }) => sum + value * count, 0);

/** The smallest value that at least this fraction of all does not exceed. */
function percentile(values: Weighted, fraction: number): number | undefined {
  const wanted = countOf(values) * fraction;
  let seen = 0;
  // Fractions such as 0.999 leave a rounding error that must not cost a rank.
  return (values.find(({ count }) => (seen += count) >= wanted - 1e-9) ?? values.at(-1))?.value;
}

function trimmed(verb: string, range: Range): Statistic {
  return {
    needs: "values",
    of: (values) => {
      const kept = range.isPercent ? keepRanks(values, range) : keepValues(values, range);
      const count = countOf(kept);
      switch (verb) {
        case "TC":
          return count;
        case "TS":
          return sumOf(kept);
        case "PR":
          return (count / countOf(values)) * 100;
        case "WM":
          return winsorizedMean(values, kept);
        default:
          return count > 0 ? sumOf(kept) / count : undefined;
      }
    },
  };
}

/** Above the lower bound, up to the upper one. */
const keepValues = (values: Weighted, { low, high }: Range): Weighted =>
  values.filter(({ value }) => value > low && value <= high);

function keepRanks(values: Weighted, { low, high }: Range): Weighted {
  const total = countOf(values);
  const [from, to] = [(total * low) / 100, (total * high) / 100];
  let seen = 0;
  return values.flatMap(({ value, count }) => {
    const kept = Math.min(seen + count, to) - Math.max(seen, from);
    seen += count;
    return kept > 0 ? [{ value, count: kept }] : [];
  });
}

/** What lies outside counts as the nearest value inside. */
function winsorizedMean(values: Weighted, kept: Weighted): number | undefined {
  const [first, last] = [kept[0], kept.at(-1)];
  if (!first || !last) return undefined;
  const clamped = values.map(({ value, count }) => ({
    value: Math.min(Math.max(value, first.value), last.value),
    count,
  }));
  return sumOf(clamped) / countOf(clamped);
}
