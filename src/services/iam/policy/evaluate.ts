// Decides one request by the policies that bear on it. The order is AWS's: an explicit deny anywhere; then what the resource's
// own policy grants, the identity's policies, and the borders that a permissions boundary and session policies draw.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
import { onlyValue, type ConditionKeys } from "./condition.ts";
import type { ListNaming } from "./list-grants.ts";
import type { ResolveVariable } from "./pattern.ts";
import type { Policy, PrincipalEntry, Statement } from "./policy-document.ts";

export interface Principal {
  /** Undefined: anonymous. */
  readonly account: string | undefined;
  readonly arn: string;
  /** aws:userid, e.g. AROA…:session */
  readonly userId: string;
  /** ARN of the role that a session was made of. */
  readonly roleArn?: string | undefined;
  /** S3's name of the account. */
  readonly canonicalUserId?: string | undefined;
  /** A service that acts by itself, e.g. sagemaker.amazonaws.com: only trust policies name it. */
  readonly service?: string | undefined;
}

export interface AccessRequest {
  readonly principal: Principal;
  /** e.g. s3:GetObject */
  readonly action: string;
  /** An ARN, or "*" for actions without a resource. */
  readonly resource: string;
  readonly keys: ConditionKeys;
}

export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

export interface PoliciesInForce {
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy | undefined;
  /** Of the session; an empty list borders nothing. */
  readonly session?: readonly NamedPolicy[] | undefined;
  /** The resource's own policy. */
  readonly resource?: NamedPolicy | undefined;
  /** Whose the resource is; undefined: the principal's own account. */
  readonly resourceAccount?: string | undefined;
  /** What the resource's access control list grants the principal. */
  readonly listed?: ListNaming | undefined;
  /** The resource's policy is of somebody who does not own it, and can only deny: a bucket's, of another's object. */
  readonly resourceOnlyDenies?: boolean;
  /** Role trust policies must allow even their own account. */
  readonly needsResourcePolicy?: boolean;
}

export type PolicyKind = "identity-based policy" | "permissions boundary" | "session policy" | "resource-based policy";

export interface MatchedStatement {
  readonly kind: PolicyKind;
  readonly policy: string;
  readonly statement: string;
}

export type Decision =
  | { readonly isAllowed: true; readonly by: readonly MatchedStatement[] }
  | {
      readonly isAllowed: false;
      readonly isExplicit: true;
      readonly kind: PolicyKind;
      readonly by: readonly MatchedStatement[];
    }
  | { readonly isAllowed: false; readonly isExplicit: false; readonly kind: PolicyKind; readonly by: readonly [] };

/** How a resource's policy names a principal: what it grants reaches past other borders the more exactly it does. */
type Naming = "session" | "user" | "role" | "anyone" | "account";

const isRootArn = (arn: string): boolean => arn.endsWith(":root");
const isUserArn = (arn: string): boolean => /^arn:[\w-]+:iam::\d{12}:user\//.test(arn);

function nameByArn({ arn, account, roleArn, userId }: Principal, value: string): Naming | undefined {
  if (account === undefined) return undefined;
  if (value === account || value.replace(/^arn:[\w-]+:/, "") === `iam::${account}:root`) return "account";
  if (value === arn) return isUserArn(arn) ? "user" : "session";
  if (roleArn !== undefined && value === roleArn) return "role";
  if (value === userId) return "user";
  return value === userId.split(":")[0] ? "role" : undefined;
}

function naming(principal: Principal, { kind, value }: PrincipalEntry): Naming | undefined {
  switch (kind) {
    case "anyone":
      return "anyone";
    case "AWS":
      return nameByArn(principal, value);
    case "Service":
      return principal.service === value ? "session" : undefined;
    case "CanonicalUser":
      return principal.canonicalUserId === value ? "account" : undefined;
    case "Federated":
      return undefined;
  }
}

const strength: Readonly<Record<Naming, number>> = { session: 5, user: 4, role: 3, anyone: 2, account: 1 };

const stronger = (one: Naming | undefined, other: Naming | undefined): Naming | undefined =>
  (one ? strength[one] : 0) >= (other ? strength[other] : 0) ? one : other;

/** How the statement names the principal; "anyone" for those that NotPrincipal leaves. */
function namedBy({ principals }: Statement, principal: Principal): Naming | undefined {
  if (!principals) return "anyone";
  let best: Naming | undefined;
  for (const entry of principals.of) best = stronger(best, naming(principal, entry));
  if (!principals.isNot) return best;
  return best === undefined ? "anyone" : undefined;
}

class Asked {
  readonly request: AccessRequest;
  readonly action: string;
  readonly resolve: ResolveVariable;

  constructor(request: AccessRequest) {
    this.request = request;
    this.action = request.action.toLowerCase();
    this.resolve = (name) => onlyValue(request.keys, name);
  }

  /** Action, resource and conditions; not the principal. */
  matches({ actions, resources, conditions }: Statement): boolean {
    const { resource, keys } = this.request;
    if (actions.of.some((pattern) => pattern.matches(this.action, this.resolve)) === actions.isNot) return false;
    if (resources && resources.of.some((pattern) => pattern.matches(resource, this.resolve)) === resources.isNot)
      return false;
    return conditions.every((condition) => condition.holds(keys));
  }
}

interface Verdict {
  readonly allows: readonly MatchedStatement[];
  readonly denies: readonly MatchedStatement[];
  /** How the allowing statements of a resource's policy name the principal. */
  readonly grant: Naming | undefined;
}

function look(asked: Asked, kind: PolicyKind, policies: readonly NamedPolicy[]): Verdict {
  const allows: MatchedStatement[] = [];
  const denies: MatchedStatement[] = [];
  let grant: Naming | undefined;
  for (const { name, policy } of policies) {
    for (const statement of policy.statements) {
      const named = namedBy(statement, asked.request.principal);
      if (named === undefined || !asked.matches(statement)) continue;
      (statement.effect === "Allow" ? allows : denies).push({ kind, policy: name, statement: statement.name });
      if (statement.effect === "Allow") grant = stronger(grant, named);
    }
  }
  return { allows, denies, grant };
}

const missing = (kind: PolicyKind): Decision => ({ isAllowed: false, isExplicit: false, kind, by: [] });

interface Verdicts {
  readonly identity: Verdict;
  readonly resource: Verdict;
  readonly boundary: Verdict | undefined;
  readonly session: Verdict | undefined;
}

function explicitDeny({ identity, resource, boundary, session }: Verdicts): Decision | undefined {
  for (const verdict of [resource, identity, boundary, session]) {
    const [first] = verdict?.denies ?? [];
    if (verdict && first) return { isAllowed: false, isExplicit: true, kind: first.kind, by: verdict.denies };
  }
  return undefined;
}

function missingBorder({ boundary, session }: Verdicts): PolicyKind | undefined {
  if (boundary?.allows.length === 0) return "permissions boundary";
  return session?.allows.length === 0 ? "session policy" : undefined;
}

function decideAcross(verdicts: Verdicts, isRoot: boolean): Decision {
  const { identity, resource } = verdicts;
  if (!isRoot && identity.allows.length === 0) return missing("identity-based policy");
  const border = missingBorder(verdicts);
  if (border) return missing(border);
  if (resource.grant === undefined) return missing("resource-based policy");
  return { isAllowed: true, by: [...identity.allows, ...resource.allows] };
}

function decideWithin(verdicts: Verdicts, isRoot: boolean, needsResourcePolicy: boolean): Decision {
  const { identity, resource } = verdicts;
  const { grant } = resource;
  if (needsResourcePolicy && grant === undefined) return missing("resource-based policy");
  // What names the very user or session is theirs, whatever their own policies leave out.
  if (grant === "session" || (grant === "user" && !verdicts.session)) return { isAllowed: true, by: resource.allows };
  const isGranted = isRoot || identity.allows.length > 0 || (grant !== undefined && grant !== "account");
  if (!isGranted) return missing("identity-based policy");
  const border = missingBorder(verdicts);
  if (border) return missing(border);
  return { isAllowed: true, by: [...identity.allows, ...resource.allows] };
}

/** A list is to the resource what its policy is. */
function lookAtResource(asked: Asked, { resource, resourceOnlyDenies, listed }: PoliciesInForce): Verdict {
  const said = look(asked, "resource-based policy", resource ? [resource] : []);
  const verdict: Verdict = resourceOnlyDenies ? { ...said, allows: [], grant: undefined } : said;
  if (listed === undefined) return verdict;
  const byList: MatchedStatement = { kind: "resource-based policy", policy: "access control list", statement: listed };
  return { ...verdict, allows: [...verdict.allows, byList], grant: stronger(verdict.grant, listed) };
}

export function evaluate(request: AccessRequest, policies: PoliciesInForce): Decision {
  const { principal } = request;
  const { boundary, session, resourceAccount, needsResourcePolicy = false } = policies;
  const asked = new Asked(request);
  const hasSession = session !== undefined && session.length > 0;
  const verdicts: Verdicts = {
    identity: look(asked, "identity-based policy", policies.identity),
    resource: lookAtResource(asked, policies),
    boundary: boundary && look(asked, "permissions boundary", [boundary]),
    session: hasSession ? look(asked, "session policy", session) : undefined,
  };
  const denied = explicitDeny(verdicts);
  if (denied) return denied;
  if (principal.account === undefined) {
    const { grant, allows } = verdicts.resource;
    return grant === undefined ? missing("resource-based policy") : { isAllowed: true, by: allows };
  }
  const isRoot = isRootArn(principal.arn);
  const isOwn = resourceAccount === undefined || resourceAccount === principal.account;
  return isOwn ? decideWithin(verdicts, isRoot, needsResourcePolicy) : decideAcross(verdicts, isRoot);
}

/** The end of AWS's text. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
export const reasonOf = (decision: Exclude<Decision, { isAllowed: true }>, action: string): string =>
  decision.isExplicit
    ? `with an explicit deny in ${decision.kind === "identity-based policy" ? "an" : "a"} ${decision.kind}`
    : `because no ${decision.kind} allows the ${action} action`;
