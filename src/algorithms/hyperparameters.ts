// Hyperparameters, declared once. Every value on the wire is a string; the error texts follow the JSON-schema wording
// that SageMaker's own algorithms put into FailureReason.
import { ClientError } from "./client-error.ts";

/** One declared hyperparameter. `parse` throws HyperparameterProblem. */
export interface Hyperparameter<T> {
  readonly kind: "Integer" | "Continuous" | "Categorical" | "FreeText";
  readonly isRequired: boolean;
  readonly fallback: T | undefined;
  /** For documentation and DescribeAlgorithm-like answers. */
  readonly range: { readonly min?: number; readonly max?: number; readonly values?: readonly string[] };
  parse(text: string): T;
}

export class HyperparameterProblem extends Error {}

const problem = (text: string, what: string): HyperparameterProblem => new HyperparameterProblem(`'${text}' ${what}`);

interface NumberLimits<F> {
  readonly min?: number;
  readonly max?: number;
  readonly fallback?: F;
}

function inLimits(text: string, value: number, { min, max }: NumberLimits<unknown>): number {
  if (min !== undefined && value < min) throw problem(text, `is less than the minimum of ${min}`);
  if (max !== undefined && value > max) throw problem(text, `is greater than the maximum of ${max}`);
  return value;
}

const rangeOf = ({ min, max }: NumberLimits<unknown>): Hyperparameter<unknown>["range"] => ({
  ...(min !== undefined && { min }),
  ...(max !== undefined && { max }),
});

/** Clients write integers as "10", and some as "10.0". */
function parseInteger(text: string, limits: NumberLimits<unknown>): number {
  if (!/^\s*[+-]?\d+(\.0*)?\s*$/.test(text)) throw problem(text, "is not of type 'integer'");
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw problem(text, "is too large");
  return inLimits(text, value, limits);
}

const declared = <T>(
  kind: Hyperparameter<T>["kind"],
  fallback: T | undefined,
  range: Hyperparameter<T>["range"],
  parse: (text: string) => T,
): Hyperparameter<T> => ({ kind, isRequired: fallback === undefined, fallback, range, parse });

export const integer = (limits: NumberLimits<number> = {}): Hyperparameter<number> =>
  declared("Integer", limits.fallback, rangeOf(limits), (text) => parseInteger(text, limits));

/** An integer, or the word "auto". */
export const integerOrAuto = (limits: Omit<NumberLimits<never>, "fallback"> = {}): Hyperparameter<number | "auto"> =>
  declared<number | "auto">("FreeText", "auto", rangeOf(limits), (text) =>
    text.trim() === "auto" ? "auto" : parseInteger(text, limits),
  );

export const real = (limits: NumberLimits<number> = {}): Hyperparameter<number> =>
  declared("Continuous", limits.fallback, rangeOf(limits), (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) throw problem(text, "is not of type 'number'");
    return inLimits(text, value, limits);
  });

/** One of the words; the first is the fallback. */
export const choice = <const W extends string>(...words: readonly [W, ...W[]]): Hyperparameter<W> =>
  declared("Categorical", words[0], { values: words }, (text) => {
    const found = words.find((word) => word === text.trim());
    if (!found) throw problem(text, `is not one of [${words.map((word) => `'${word}'`).join(", ")}]`);
    return found;
  });

/** Python's and JSON's spellings: "True", "False", "true", "false", "1", "0". */
export const boolean = (fallback: boolean): Hyperparameter<boolean> =>
  declared("Categorical", fallback, { values: ["true", "false"] }, (text) => {
    const word = text.trim().toLowerCase();
    if (word === "true" || word === "1") return true;
    if (word === "false" || word === "0") return false;
    throw problem(text, "is not of type 'boolean'");
  });

/** A JSON list of some of the words, e.g. '["msd","ssd"]'. */
export const jsonList = <const W extends string>(
  words: readonly W[],
  fallback: readonly W[],
): Hyperparameter<readonly W[]> =>
  declared("FreeText", fallback, { values: words }, (text) => {
    const wanted = `is not a JSON list of [${words.map((word) => `'${word}'`).join(", ")}]`;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      throw problem(text, wanted);
    }
    if (!Array.isArray(parsed)) throw problem(text, wanted);
    return parsed.map((item: unknown) => {
      const found = words.find((word) => word === item);
      if (!found) throw problem(text, wanted);
      return found;
    });
  });

export type Declarations = Readonly<Record<string, Hyperparameter<unknown>>>;

export type ValuesOf<D extends Declarations> = {
  readonly [N in keyof D]: D[N] extends Hyperparameter<infer T> ? T : never;
};

/**
 * The typed values. Throws one ClientError that names every missing, unknown or bad hyperparameter.
 * Names that begin with "_" belong to the platform (_tuning_objective_metric, _kfold, …) and are passed over.
 */
export function checkedValues<D extends Declarations>(
  declarations: D,
  given: Readonly<Record<string, string>>,
): ValuesOf<D> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, declaration] of Object.entries(declarations)) {
    const text = given[name];
    if (text === undefined) {
      if (declaration.isRequired) problems.push(`'${name}' is a required property`);
      values[name] = declaration.fallback;
      continue;
    }
    try {
      values[name] = declaration.parse(text);
    } catch (error) {
      if (!(error instanceof HyperparameterProblem)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declarations, name) || name.startsWith("_")) continue;
    problems.push(`Additional properties are not allowed ('${name}' was unexpected)`);
  }
  if (problems.length > 0)
    throw new ClientError(`Invalid hyperparameters: ${problems.join("; ")} (caused by ValidationError)`);
  return values as ValuesOf<D>;
}
