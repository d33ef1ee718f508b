import { evaluate, numberOf, order, textOf } from "./evaluate.ts";
import type { AggregateExpression } from "./expression.ts";
import type { SelectRecord, Value } from "./record.ts";
import { selectError } from "./select-errors.ts";

/** One running aggregate; unknown values do not count. */
export class Aggregate {
  readonly #expression: AggregateExpression;
  #count = 0;
  #sum = 0;
  #best: Value;

  constructor(expression: AggregateExpression) {
    this.#expression = expression;
  }

  add(record: SelectRecord): void {
    const { of, name } = this.#expression;
    const value = of ? evaluate(of, record) : 1;
    if (value === undefined || value === null) return;
    this.#count++;
    if (name === "SUM" || name === "AVG") this.#sum += this.#number(value);
    else if (name !== "COUNT") this.#compare(numberOf(value) ?? value);
  }

  #number(value: Value): number {
    const number = numberOf(value);
    if (number !== undefined) return number;
    throw selectError("EvaluatorInvalidArguments", `${this.#expression.name} takes numbers, not ${textOf(value)}.`);
  }

  #compare(value: Value): void {
    const difference = this.#count === 1 ? undefined : order(value, this.#best);
    const isBetter = this.#expression.name === "MIN" ? (difference ?? 0) < 0 : (difference ?? 0) > 0;
    if (this.#count === 1 || isBetter) this.#best = value;
  }

  /** Null where there was nothing to sum up. */
  get total(): Value {
    const { name } = this.#expression;
    if (name === "COUNT") return this.#count;
    if (this.#count === 0) return null;
    if (name === "SUM") return this.#sum;
    return name === "AVG" ? this.#sum / this.#count : this.#best;
  }
}
