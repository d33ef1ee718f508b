// What one column of a data file holds, in one pass and bounded memory: counts, moments, a sample for the histogram, frequent texts.

/** Texts and numbers are told apart per value: a column may hold both. */
export type Cell =
  | number
  | bigint
  | boolean
  | string
  | Date
  | Uint8Array
  | null
  | undefined
  | { readonly numbers: ArrayLike<number | bigint>; readonly shape: readonly number[]; readonly isSparse: boolean }
  /** Anything else: lists of texts, objects. */
  | { readonly other: unknown };

const sampleSize = 2_048;
const mostTexts = 1_000;
const mostShapes = 6;

/** Every k-th value, k doubling whenever the sample is full: the same values on every run. */
class Sample {
  #values: number[] = [];
  #stride = 1;
  #seen = 0;

  add(value: number): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.#values.push(value);
    if (this.#values.length < sampleSize) return;
    this.#values = this.#values.filter((_, at) => at % 2 === 0);
    this.#stride *= 2;
  }

  get values(): readonly number[] {
    return this.#values;
  }
}

export interface NumberSummary {
  readonly count: number;
  /** Not a number, or infinite: counted, and left out of all else. */
  readonly notFinite: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Of the population. */
  readonly deviation: number;
  /** Values of the sample in equal steps from the lowest to the highest. */
  histogram(bins: number): readonly number[];
}

class Numbers implements NumberSummary {
  readonly #sample = new Sample();
  #squares = 0;
  count = 0;
  notFinite = 0;
  min = Infinity;
  max = -Infinity;
  mean = 0;

  /** Welford's update. */
  add(value: number): void {
    if (!Number.isFinite(value)) {
      this.notFinite++;
      return;
    }
    this.count++;
    const step = value - this.mean;
    this.mean += step / this.count;
    this.#squares += step * (value - this.mean);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#sample.add(value);
  }

  get deviation(): number {
    return this.count === 0 ? NaN : Math.sqrt(this.#squares / this.count);
  }

  histogram(bins: number): readonly number[] {
    const counts = Array.from({ length: bins }, () => 0);
    const width = (this.max - this.min) / bins;
    for (const value of this.#sample.values) {
      const bin = width > 0 ? Math.min(bins - 1, Math.floor((value - this.min) / width)) : 0;
      counts[bin] = counts[bin]! + 1;
    }
    return counts;
  }
}

export interface TextSummary {
  readonly count: number;
  readonly shortest: number;
  readonly longest: number;
  /** Distinct ones; undefined where there are more than are counted. */
  readonly distinct: number | undefined;
  /** Most frequent first; those beyond the first thousand distinct ones are not counted. */
  frequent(count: number): readonly (readonly [text: string, times: number])[];
}

class Texts implements TextSummary {
  readonly #times = new Map<string, number>();
  #isFull = false;
  count = 0;
  shortest = Infinity;
  longest = 0;

  add(text: string): void {
    this.count++;
    this.shortest = Math.min(this.shortest, text.length);
    this.longest = Math.max(this.longest, text.length);
    // Long texts are rarely categories, and a thousand of them would be held.
    const short = text.length > 80 ? `${text.slice(0, 79)}…` : text;
    const times = this.#times.get(short);
    if (times !== undefined) this.#times.set(short, times + 1);
    else if (this.#times.size < mostTexts) this.#times.set(short, 1);
    else this.#isFull = true;
  }

  get distinct(): number | undefined {
    return this.#isFull ? undefined : this.#times.size;
  }

  frequent(count: number): readonly (readonly [string, number])[] {
    return [...this.#times].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, count);
  }
}

/** Parquet can hold times beyond those of Date. */
export const timeText = (time: Date): string => (Number.isNaN(time.getTime()) ? "not a time" : time.toISOString());

const shapeText = (shape: readonly number[], isSparse: boolean): string =>
  `[${shape.join(" × ")}]${isSparse ? " sparse" : ""}`;

export class ColumnSummary {
  readonly name: string;
  readonly #numbers = new Numbers();
  readonly #texts = new Texts();
  readonly #byteLengths = new Numbers();
  readonly #shapes = new Map<string, number>();
  readonly #types = new Set<string>();
  /** Records that hold something here. */
  present = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(cell: Cell): void {
    if (cell === undefined || cell === null) return;
    this.present++;
    if (typeof cell === "string") {
      this.#types.add("text");
      this.#texts.add(cell);
    } else if (typeof cell === "object") {
      this.#addObject(cell);
    } else {
      this.#types.add(typeof cell === "bigint" || Number.isInteger(cell) ? "integer" : typeof cell);
      this.#numbers.add(Number(cell));
    }
  }

  #addObject(cell: Extract<Cell, object>): void {
    if (cell instanceof Uint8Array) {
      this.#types.add("bytes");
      this.#byteLengths.add(cell.length);
    } else if (cell instanceof Date) {
      this.#types.add("time");
      this.#texts.add(timeText(cell));
    } else if ("numbers" in cell) {
      this.#types.add("numbers");
      const shape = shapeText(cell.shape, cell.isSparse);
      if (this.#shapes.has(shape) || this.#shapes.size < mostShapes) {
        this.#shapes.set(shape, (this.#shapes.get(shape) ?? 0) + 1);
      }
      for (let at = 0; at < cell.numbers.length; at++) this.#numbers.add(Number(cell.numbers[at]));
    } else {
      this.#types.add(Array.isArray(cell.other) ? "list" : "object");
    }
  }

  /** "integer", "number", "text", "numbers [784]" … */
  get type(): string {
    const types = this.#types.has("number") ? [...this.#types].filter((type) => type !== "integer") : [...this.#types];
    const shapes = [...this.#shapes.keys()];
    const shown = shapes.length >= mostShapes ? `${shapes.slice(0, 2).join(", ")}, …` : shapes.join(", ");
    return types.map((type) => (type === "numbers" ? `numbers ${shown}` : type)).join(" or ") || "nothing";
  }

  /** Undefined where it holds none. */
  get numbers(): NumberSummary | undefined {
    return this.#numbers.count + this.#numbers.notFinite > 0 ? this.#numbers : undefined;
  }

  get texts(): TextSummary | undefined {
    return this.#texts.count > 0 ? this.#texts : undefined;
  }

  /** Lengths of byte strings. */
  get byteLengths(): NumberSummary | undefined {
    return this.#byteLengths.count > 0 ? this.#byteLengths : undefined;
  }
}
