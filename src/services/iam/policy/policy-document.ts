// Policy documents: their grammar, and the form in which they are evaluated.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html; the texts are those that IAM answers.
import { compileCondition, type CompileScope, type Condition } from "./condition.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

/** The text is no policy; the message says why, as MalformedPolicyDocument does. */
export class PolicyProblem extends Error {}

/** What is asked of a document: trust policies name no resource, identity policies no principal. */
export type PolicySort = "identity" | "resource" | "trust" | "any";

export interface PrincipalEntry {
  readonly kind: "AWS" | "Service" | "Federated" | "CanonicalUser" | "anyone";
  readonly value: string;
}

interface Some<T> {
  readonly isNot: boolean;
  readonly of: readonly T[];
}

export interface Statement {
  /** The Sid, or the statement's place in its policy, from 1. */
  readonly name: string;
  readonly effect: "Allow" | "Deny";
  readonly actions: Some<Pattern>;
  /** Undefined in trust policies. */
  readonly resources: Some<Pattern> | undefined;
  /** Undefined in identity policies. */
  readonly principals: Some<PrincipalEntry> | undefined;
  readonly conditions: readonly Condition[];
}

export interface Policy {
  readonly statements: readonly Statement[];
  /** Every condition key that it asks for, in lower case. */
  readonly keys: ReadonlySet<string>;
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const syntaxError = (): PolicyProblem => new PolicyProblem("Syntax errors in policy.");

function textsOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (!values.every((each) => typeof each === "string")) throw syntaxError();
  return values;
}

/** Booleans and numbers stand for their texts. */
function valuesOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.map((each) => {
    if (typeof each === "string") return each;
    if (typeof each === "boolean" || typeof each === "number") return String(each);
    throw syntaxError();
  });
}

/** The member or its negation; both at once are an error. */
function eitherOf(
  statement: Json,
  name: "Action" | "Resource" | "Principal",
): { isNot: boolean; value: unknown } | undefined {
  const [plain, negated] = [statement[name], statement[`Not${name}`]];
  if (plain !== undefined && negated !== undefined) throw syntaxError();
  if (plain !== undefined) return { isNot: false, value: plain };
  return negated === undefined ? undefined : { isNot: true, value: negated };
}

function actionsOf(statement: Json): Some<Pattern> {
  const found = eitherOf(statement, "Action");
  if (!found) throw new PolicyProblem("Policy statement must contain actions.");
  const actions = textsOf(found.value);
  if (actions.length === 0) throw new PolicyProblem("Policy statement must contain actions.");
  for (const action of actions) {
    if (action === "*") continue;
    if (!action.includes(":"))
      throw new PolicyProblem("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    if (!/^[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+$/.test(action))
      throw new PolicyProblem(`The action ${action} is not of the form vendor:Action.`);
  }
  return {
    isNot: found.isNot,
    of: actions.map((action) => compilePattern(action.toLowerCase(), { hasVariables: false })),
  };
}

function resourcesOf(statement: Json, sort: PolicySort, scope: CompileScope): Some<Pattern> | undefined {
  const found = eitherOf(statement, "Resource");
  if (sort === "trust") {
    if (found) throw new PolicyProblem("Has prohibited field Resource");
    return undefined;
  }
  if (!found) {
    if (sort === "any") return undefined;
    throw new PolicyProblem("Policy statement must contain resources.");
  }
  const resources = textsOf(found.value);
  if (resources.length === 0) throw new PolicyProblem("Policy statement must contain resources.");
  for (const resource of resources) {
    if (resource !== "*" && !/^(?:arn:|\*|\$\{)/.test(resource))
      throw new PolicyProblem(`Resource ${resource} must be in ARN format or "*".`);
  }
  return { isNot: found.isNot, of: resources.map((resource) => compilePattern(resource, scope, scope.keys)) };
}

const principalKinds = ["AWS", "Service", "Federated", "CanonicalUser"] as const;

function principalEntries(value: unknown): PrincipalEntry[] {
  if (value === "*") return [{ kind: "anyone", value: "*" }];
  if (!isObject(value) || Object.keys(value).length === 0) throw new PolicyProblem("Invalid principal in policy");
  return Object.entries(value).flatMap(([name, given]) => {
    const kind = principalKinds.find((known) => known === name);
    if (!kind) throw new PolicyProblem(`Invalid principal in policy: "${name}"`);
    return textsOf(given).map((text): PrincipalEntry => {
      if (kind === "AWS" && text === "*") return { kind: "anyone", value: "*" };
      if (kind === "AWS" && !/^(?:\d{12}|arn:[^*?\s]+|A[A-Z0-9]{10,})$/.test(text))
        throw new PolicyProblem(`Invalid principal in policy: "AWS":"${text}"`);
      return { kind, value: text };
    });
  });
}

function principalsOf(statement: Json, sort: PolicySort): Some<PrincipalEntry> | undefined {
  const found = eitherOf(statement, "Principal");
  if (sort === "identity") {
    if (found) throw new PolicyProblem("Policy document should not specify a principal.");
    return undefined;
  }
  if (!found) {
    if (sort === "any") return undefined;
    throw new PolicyProblem("Missing required field Principal");
  }
  return { isNot: found.isNot, of: principalEntries(found.value) };
}

function conditionsOf(statement: Json, scope: CompileScope): Condition[] {
  const { Condition: conditions } = statement;
  if (conditions === undefined) return [];
  if (!isObject(conditions)) throw syntaxError();
  return Object.entries(conditions).flatMap(([operator, byKey]) => {
    if (!isObject(byKey)) throw syntaxError();
    return Object.entries(byKey).map(([key, values]) => {
      const compiled = compileCondition(operator, key, valuesOf(values), scope);
      if (!compiled) throw new PolicyProblem(`Invalid Condition type : ${operator}.`);
      return compiled;
    });
  });
}

const statementMembers: ReadonlySet<string> = new Set(
  "Sid Effect Action NotAction Resource NotResource Principal NotPrincipal Condition".split(" "),
);

function statementOf(value: unknown, at: number, sort: PolicySort, scope: CompileScope): Statement {
  if (!isObject(value) || Object.keys(value).some((name) => !statementMembers.has(name))) throw syntaxError();
  const { Sid, Effect } = value;
  if (Effect !== "Allow" && Effect !== "Deny") throw syntaxError();
  if (Sid !== undefined && typeof Sid !== "string") throw syntaxError();
  return {
    name: Sid ?? String(at + 1),
    effect: Effect,
    actions: actionsOf(value),
    resources: resourcesOf(value, sort, scope),
    principals: principalsOf(value, sort),
    conditions: conditionsOf(value, scope),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PolicyProblem("This policy contains invalid Json");
  }
}

const versions: ReadonlySet<unknown> = new Set(["2012-10-17", "2008-10-17", undefined]);

/** Throws PolicyProblem. `sort` says what the document is to be; "any" takes what may be stored already. */
export function compilePolicy(text: string, sort: PolicySort = "any"): Policy {
  const document = parseJson(text);
  if (!isObject(document)) throw syntaxError();
  const { Version, Statement: given } = document;
  if (!versions.has(Version)) throw syntaxError();
  if (given === undefined) throw syntaxError();
  const statements: unknown[] = Array.isArray(given) ? given : [given];
  if (statements.length === 0) throw syntaxError();
  const scope: CompileScope = { hasVariables: Version === "2012-10-17", keys: new Set() };
  const compiled = statements.map((statement, at) => statementOf(statement, at, sort, scope));
  const sids = statements.flatMap((each) => (isObject(each) && typeof each["Sid"] === "string" ? [each["Sid"]] : []));
  if (sort === "identity" && new Set(sids.filter((sid) => sid !== "")).size < sids.filter((sid) => sid !== "").length)
    throw new PolicyProblem("Statement IDs (SID) in a single policy must be unique.");
  return { statements: compiled, keys: scope.keys };
}
