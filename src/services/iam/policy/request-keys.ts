// The global condition keys of one request. Computed when a condition asks: most requests ask for none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
import type { ConditionKeys } from "./condition.ts";
import type { Principal } from "./evaluate.ts";

export interface RequestFacts {
  readonly now: Date;
  readonly region: string;
  readonly isSecure: boolean;
  readonly sourceIp: string | undefined;
  readonly userAgent: string | undefined;
  readonly referer: string | undefined;
  /** True for credentials that expire. */
  readonly isTemporary: boolean;
}

export type Tags = readonly { readonly Key: string; readonly Value: string }[];

interface KeysParts {
  readonly principal: Principal;
  readonly facts: RequestFacts;
  /** Of the access itself, in lower case. */
  readonly own: Readonly<Record<string, readonly string[]>>;
  readonly resourceAccount: string | undefined;
  readonly principalTags: Tags;
  readonly resourceTags: Tags;
}

function principalType({ account, arn }: Principal): string {
  if (account === undefined) return "Anonymous";
  if (arn.endsWith(":root")) return "Account";
  if (arn.includes(":assumed-role/")) return "AssumedRole";
  return arn.includes(":federated-user/") ? "FederatedUser" : "User";
}

/** aws:username: of users only, without their path. */
const userName = ({ arn }: Principal): string | undefined => /:user\/(?:.*\/)?([^/]+)$/.exec(arn)?.[1];

type Read = (parts: KeysParts) => string | undefined;

const globals: ReadonlyMap<string, Read> = new Map<string, Read>([
  [
    "aws:principalarn",
    ({ principal }) => (principal.account === undefined ? undefined : (principal.roleArn ?? principal.arn)),
  ],
  ["aws:principalaccount", ({ principal }) => principal.account],
  ["aws:principaltype", ({ principal }) => principalType(principal)],
  ["aws:userid", ({ principal }) => principal.userId],
  ["aws:username", ({ principal }) => userName(principal)],
  ["aws:sourceip", ({ facts }) => facts.sourceIp],
  ["aws:securetransport", ({ facts }) => String(facts.isSecure)],
  ["aws:requestedregion", ({ facts }) => facts.region],
  ["aws:currenttime", ({ facts }) => facts.now.toISOString()],
  ["aws:epochtime", ({ facts }) => String(Math.floor(facts.now.getTime() / 1_000))],
  ["aws:useragent", ({ facts }) => facts.userAgent],
  ["aws:referer", ({ facts }) => facts.referer],
  ["aws:multifactorauthpresent", ({ facts }) => (facts.isTemporary ? "false" : undefined)],
  ["aws:viaawsservice", () => "false"],
  ["aws:principalisawsservice", ({ principal }) => String(principal.service !== undefined)],
  ["aws:resourceaccount", ({ resourceAccount, principal }) => resourceAccount ?? principal.account],
]);

/** Prefixes of keys that ask for tags. */
export const principalTagPrefix = "aws:principaltag/";
export const resourceTagPrefixes: readonly string[] = [
  "aws:resourcetag/",
  "sagemaker:resourcetag/",
  "iam:resourcetag/",
  "s3:existingobjecttag/",
];

const tagValue = (tags: Tags, name: string): readonly string[] | undefined => {
  const found = tags.find(({ Key }) => Key.toLowerCase() === name);
  return found && [found.Value];
};

export function conditionKeys(parts: KeysParts): ConditionKeys {
  return (key) => {
    const own = Object.hasOwn(parts.own, key) ? parts.own[key] : undefined;
    if (own) return own;
    const value = globals.get(key)?.(parts);
    if (value !== undefined) return [value];
    if (key.startsWith(principalTagPrefix)) return tagValue(parts.principalTags, key.slice(principalTagPrefix.length));
    const prefix = resourceTagPrefixes.find((each) => key.startsWith(each));
    return prefix === undefined ? undefined : tagValue(parts.resourceTags, key.slice(prefix.length));
  };
}
