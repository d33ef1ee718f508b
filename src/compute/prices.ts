// Dollars per instance and hour: the operator's own, then AWS's list prices. A type that neither knows has no price, never 0.
import { readFileSync } from "node:fs";
import { listPrices } from "./list-prices.ts";

export interface Prices {
  /** Undefined: nobody knows. */
  perHour(instanceType: string): number | undefined;
  /** The operator's own, by instance type. */
  readonly own: Readonly<Record<string, number>>;
}

/** The file is not what it should be; the message is for the operator, with all problems. */
export class PricesError extends Error {}

export const pricesOf = (own: Readonly<Record<string, number>>): Prices => ({
  own,
  perHour: (type) =>
    Object.hasOwn(own, type) ? own[type] : Object.hasOwn(listPrices, type) ? listPrices[type] : undefined,
});

/** JSON: {"ml.m5.large": 0.12, …}. Throws PricesError. */
export function parsePrices(text: string): Prices {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new PricesError(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new PricesError('it must be an object: {"ml.m5.large": dollars per hour, …}');
  const entries = Object.entries(given as Readonly<Record<string, unknown>>);
  const isPrice = (value: unknown): value is number =>
    typeof value === "number" && Number.isFinite(value) && value >= 0;
  const wrong = entries.filter(([type, value]) => !type.startsWith("ml.") || !isPrice(value));
  if (wrong.length > 0)
    throw new PricesError(
      `these are not an instance type and dollars per hour: ${wrong.map(([type, value]) => `"${type}": ${JSON.stringify(value)}`).join(", ")}`,
    );
  return pricesOf(Object.fromEntries(entries.filter((entry): entry is [string, number] => isPrice(entry[1]))));
}

/** Throws PricesError with the file's name. */
export function readPrices(path: string): Prices {
  if (path === "") return pricesOf({});
  try {
    return parsePrices(readFileSync(path, "utf8"));
  } catch (error) {
    throw new PricesError(`--prices ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
