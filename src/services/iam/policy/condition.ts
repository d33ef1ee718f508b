// Condition operators. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
import { BlockList, isIP } from "node:net";
import { compilePattern, type ResolveVariable } from "./pattern.ts";

/** The request's values of a key, by the key's name in lower case; undefined where it has none. */
export type ConditionKeys = (key: string) => readonly string[] | undefined;

export interface Condition {
  readonly holds: (keys: ConditionKeys) => boolean;
}

/** One value of the request against the values of the policy: true where any of them fits. */
type Test = (value: string, resolve: ResolveVariable) => boolean;

interface Operator {
  readonly isNegated: boolean;
  compile(values: readonly string[], scope: CompileScope): Test;
}

export interface CompileScope {
  readonly hasVariables: boolean;
  /** Collects the keys that conditions and variables ask for, in lower case. */
  readonly keys: Set<string>;
}

const anyOf =
  (tests: readonly Test[]): Test =>
  (value, resolve) =>
    tests.some((test) => test(value, resolve));

const patterns =
  (hasWildcards: boolean, ignoresCase: boolean) =>
  (values: readonly string[], { hasVariables, keys }: CompileScope): Test => {
    const options = { hasVariables, hasWildcards };
    if (!ignoresCase) {
      const compiled = values.map((value) => compilePattern(value, options, keys));
      return (value, resolve) => compiled.some((pattern) => pattern.matches(value, resolve));
    }
    const compiled = values.map((value) => compilePattern(value.toLowerCase(), options, keys));
    const lower =
      (resolve: ResolveVariable): ResolveVariable =>
      (key) =>
        resolve(key)?.toLowerCase();
    return (value, resolve) => compiled.some((pattern) => pattern.matches(value.toLowerCase(), lower(resolve)));
  };

const arnParts = (arn: string): string[] => {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
};

/** Each of the six parts by itself, so that a wildcard does not reach into the next. ArnEquals and ArnLike are the same. */
function arns(values: readonly string[], { hasVariables, keys }: CompileScope): Test {
  const compiled = values.map((value) =>
    value === "*" ? undefined : arnParts(value).map((part) => compilePattern(part, { hasVariables }, keys)),
  );
  return (value, resolve) => {
    const parts = arnParts(value);
    return compiled.some(
      (wanted) => wanted === undefined || wanted.every((pattern, at) => pattern.matches(parts[at] ?? "", resolve)),
    );
  };
}

const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** Milliseconds; policies write ISO 8601 or seconds since 1970. */
const timeOf = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text));

type Compare = (value: number, wanted: number) => boolean;

const compared =
  (read: (text: string) => number, compare: Compare) =>
  (values: readonly string[]): Test => {
    const wanted = values.map(read);
    return (value) => {
      const number = read(value);
      // A comparison with NaN is false, except for the negations, which are made of equality.
      return wanted.some((each) => compare(number, each));
    };
  };

function booleans(values: readonly string[]): Test {
  const wanted = new Set(values.map((value) => value.toLowerCase()));
  return (value) => wanted.has(value.toLowerCase());
}

const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

function addressTest(range: string): Test {
  const [address = "", bits] = range.split("/");
  const version = isIP(address);
  const list = new BlockList();
  const family = version === 6 ? "ipv6" : "ipv4";
  const most = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits);
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most) return () => false;
  list.addSubnet(address, prefix, family);
  return (value) => {
    const plain = plainAddress(value);
    const kind = isIP(plain);
    return kind === version && list.check(plain, family);
  };
}

const addresses = (values: readonly string[]): Test => anyOf(values.map(addressTest));

const operator = (compile: Operator["compile"], isNegated = false): Operator => ({ compile, isNegated });

const equal: Compare = (value, wanted) => value === wanted;
const less: Compare = (value, wanted) => value < wanted;
const atMost: Compare = (value, wanted) => value <= wanted;
const greater: Compare = (value, wanted) => value > wanted;
const atLeast: Compare = (value, wanted) => value >= wanted;

const ordered = (name: string, read: (text: string) => number): [string, Operator][] => [
  [`${name}Equals`, operator(compared(read, equal))],
  [`${name}NotEquals`, operator(compared(read, equal), true)],
  [`${name}LessThan`, operator(compared(read, less))],
  [`${name}LessThanEquals`, operator(compared(read, atMost))],
  [`${name}GreaterThan`, operator(compared(read, greater))],
  [`${name}GreaterThanEquals`, operator(compared(read, atLeast))],
];

const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>(
  [
    ["StringEquals", operator(patterns(false, false))] as [string, Operator],
    ["StringNotEquals", operator(patterns(false, false), true)] as [string, Operator],
    ["StringEqualsIgnoreCase", operator(patterns(false, true))] as [string, Operator],
    ["StringNotEqualsIgnoreCase", operator(patterns(false, true), true)] as [string, Operator],
    ["StringLike", operator(patterns(true, false))] as [string, Operator],
    ["StringNotLike", operator(patterns(true, false), true)] as [string, Operator],
    ["ArnEquals", operator(arns)] as [string, Operator],
    ["ArnLike", operator(arns)] as [string, Operator],
    ["ArnNotEquals", operator(arns, true)] as [string, Operator],
    ["ArnNotLike", operator(arns, true)] as [string, Operator],
    ["Bool", operator(booleans)] as [string, Operator],
    ["BinaryEquals", operator(patterns(false, false))] as [string, Operator],
    ["IpAddress", operator(addresses)] as [string, Operator],
    ["NotIpAddress", operator(addresses, true)] as [string, Operator],
    ...ordered("Numeric", numberOf),
    ...ordered("Date", timeOf),
  ].map(([name, made]) => [name.toLowerCase(), made] as [string, Operator]),
);

interface Named {
  readonly quantifier: "forallvalues" | "foranyvalue" | undefined;
  readonly operator: Operator;
  readonly ifExists: boolean;
}

function named(text: string): Named | undefined {
  const lower = text.toLowerCase();
  const [, quantifier, rest = lower] = /^(forallvalues|foranyvalue):(.*)$/.exec(lower) ?? [];
  const ifExists = rest.endsWith("ifexists");
  const found = operators.get(ifExists ? rest.slice(0, -"ifexists".length) : rest);
  if (!found) return undefined;
  return { quantifier: quantifier as Named["quantifier"], operator: found, ifExists };
}

function nullCondition(key: string, values: readonly string[]): Condition {
  const wantsMissing = values.some((value) => value.toLowerCase() === "true");
  const wantsPresent = values.some((value) => value.toLowerCase() === "false");
  return { holds: (keys) => (keys(key) === undefined ? wantsMissing : wantsPresent) };
}

const isAbsent = (values: readonly string[] | undefined): boolean => values === undefined || values.length === 0;

/** Undefined for an operator that there is not. */
export function compileCondition(
  operatorName: string,
  keyName: string,
  values: readonly string[],
  scope: CompileScope,
): Condition | undefined {
  const key = keyName.toLowerCase();
  scope.keys.add(key);
  if (operatorName.toLowerCase() === "null") return nullCondition(key, values);
  const found = named(operatorName);
  if (!found) return undefined;
  const { quantifier, operator: wanted, ifExists } = found;
  const test = wanted.compile(values, scope);
  const { isNegated } = wanted;
  const ofMissing = quantifier === "forallvalues" || ifExists || (isNegated && quantifier === undefined);
  return {
    holds: (keys) => {
      const have = keys(key);
      if (have === undefined || isAbsent(have)) return ofMissing;
      const resolve: ResolveVariable = (name) => onlyValue(keys, name);
      const fits = (value: string): boolean => test(value, resolve) !== isNegated;
      // Without a quantifier a negation means that no value fits.
      const needsAll = quantifier === "forallvalues" || (quantifier === undefined && isNegated);
      return needsAll ? have.every(fits) : have.some(fits);
    },
  };
}

/** What a variable stands for: keys of several values cannot be one. */
export function onlyValue(keys: ConditionKeys, name: string): string | undefined {
  const values = keys(name);
  return values?.length === 1 ? values[0] : undefined;
}
