// The policy simulator: what would be decided of actions on resources. Nothing is done and nobody's data is read.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
import { AwsError } from "../../lib/aws-error.ts";
import type {
  EvaluationResult,
  PolicySourceType,
  SimulateCustomPolicyRequest,
  SimulatePrincipalPolicyRequest,
} from "../../models/generated/iam.ts";
import { checkPolicyDocument, operation, pageOf } from "./context.ts";
import { evaluate, type NamedPolicy, type Principal } from "./policy/evaluate.ts";
import { compilePolicy } from "./policy/policy-document.ts";
import { policiesOf, type PolicyText } from "./principal-policies.ts";
import { findRole } from "./roles.ts";
import { findUser, userNameOf } from "./users.ts";

type Request = Omit<SimulateCustomPolicyRequest, "PolicyInputList">;

interface Scene {
  readonly principal: Principal;
  readonly identity: readonly PolicyText[];
  readonly boundary: PolicyText | undefined;
  readonly now: Date;
}

/** The keys that every request has. */
function knownKeys({ principal, now }: Scene): Map<string, readonly string[]> {
  const userName = userNameOf(principal.arn);
  const keys = new Map<string, readonly string[]>([
    ["aws:principalarn", [principal.arn]],
    ["aws:principalaccount", [principal.account ?? ""]],
    ["aws:userid", [principal.userId]],
    ["aws:currenttime", [now.toISOString()]],
    ["aws:epochtime", [String(Math.floor(now.getTime() / 1_000))]],
  ]);
  if (userName !== undefined) keys.set("aws:username", [userName]);
  return keys;
}

const compiled = ({ name, document }: PolicyText): NamedPolicy => ({ name, policy: compilePolicy(document) });

interface Bench {
  readonly identity: readonly NamedPolicy[];
  readonly boundary: NamedPolicy | undefined;
  readonly resource: NamedPolicy | undefined;
  readonly keys: ReadonlyMap<string, readonly string[]>;
  readonly missing: readonly string[];
  readonly sources: ReadonlyMap<string, PolicySourceType>;
}

function setUp(scene: Scene, { ContextEntries = [], ResourcePolicy }: Request): Bench {
  const identity = scene.identity.map(compiled);
  const boundary = scene.boundary && compiled(scene.boundary);
  const resource =
    ResourcePolicy === undefined
      ? undefined
      : compiled({ name: "ResourcePolicy", document: ResourcePolicy, source: "user" });
  const keys = knownKeys(scene);
  for (const { ContextKeyName, ContextKeyValues = [] } of ContextEntries) {
    if (ContextKeyName !== undefined) keys.set(ContextKeyName.toLowerCase(), ContextKeyValues);
  }
  const asked = [...identity, boundary, resource].flatMap((each) => (each ? [...each.policy.keys] : []));
  const missing = [...new Set(asked)].filter((key) => !keys.has(key)).toSorted();
  const sources = new Map<string, PolicySourceType>(scene.identity.map(({ name, source }) => [name, source]));
  return { identity, boundary, resource, keys, missing, sources };
}

function decide(bench: Bench, { principal }: Scene, action: string, resourceArn: string): EvaluationResult {
  const { identity, boundary, resource, keys, missing, sources } = bench;
  const request = { principal, action, resource: resourceArn, keys: (key: string) => keys.get(key) };
  const decision = evaluate(request, { identity, boundary, resource });
  const bounds = boundary && evaluate(request, { identity: [boundary] });
  return {
    EvalActionName: action,
    EvalResourceName: resourceArn,
    EvalDecision: decision.isAllowed ? "allowed" : decision.isExplicit ? "explicitDeny" : "implicitDeny",
    MatchedStatements: decision.by.map(({ policy, kind }) => ({
      SourcePolicyId: policy,
      SourcePolicyType: kind === "resource-based policy" ? "resource" : (sources.get(policy) ?? "none"),
    })),
    MissingContextValues: missing,
    PermissionsBoundaryDecisionDetail: bounds && { AllowedByPermissionsBoundary: bounds.isAllowed },
  };
}

function simulate(scene: Scene, request: Request) {
  if (request.ResourcePolicy !== undefined) checkInput(request.ResourcePolicy);
  const { ActionNames, ResourceArns = ["*"] } = request;
  const bench = setUp(scene, request);
  const pairs = ActionNames.flatMap((action) => ResourceArns.map((arn) => ({ action, arn }))).map((pair, at) => ({
    ...pair,
    place: String(at).padStart(9, "0"),
  }));
  const { items, rest } = pageOf(pairs, ({ place }) => place, request);
  return { EvaluationResults: items.map(({ action, arn }) => decide(bench, scene, action, arn)), ...rest };
}

/** Here a policy that is none is an input that is none. */
function checkInput(document: string): void {
  try {
    checkPolicyDocument(document, "any");
  } catch (error) {
    if (error instanceof AwsError) throw new AwsError("InvalidInput", error.message);
    throw error;
  }
}

function givenPolicies(list: readonly string[], prefix: string): PolicyText[] {
  return list.map((document, at) => {
    checkInput(document);
    return { name: `${prefix}.${at + 1}`, document, source: "user" };
  });
}

const principalOf = (arn: string, account: string, userId: string): Principal => ({ account, arn, userId });

const simulateCustomPolicy = operation("SimulateCustomPolicy", async (input, { account, caller, clock }) => {
  const [boundary] = givenPolicies(
    input.PermissionsBoundaryPolicyInputList ?? [],
    "PermissionsBoundaryPolicyInputList",
  );
  const identity = givenPolicies(input.PolicyInputList, "PolicyInputList");
  // By itself, a list of policies is nobody's: root's name would allow everything.
  const arn = input.CallerArn ?? `arn:aws:iam::${account}:user/simulated`;
  return simulate({ principal: principalOf(arn, account, caller.userId), identity, boundary, now: clock.now() }, input);
});

const noSuchEntity = (arn: string): AwsError => new AwsError("NoSuchEntity", `${arn} cannot be found.`);

/** The unique id of the user, group or role; throws NoSuchEntity. */
async function idOf(read: Parameters<typeof findRole>[0], account: string, arn: string): Promise<string> {
  const [, owner, kind, rest = ""] = /^arn:aws:iam::(\d{12}):(user|group|role)\/(.+)$/.exec(arn) ?? [];
  if (owner !== account) throw noSuchEntity(arn);
  const name = rest.slice(rest.lastIndexOf("/") + 1);
  if (kind === "group") return name;
  const row = kind === "user" ? await findUser(read, account, name) : await findRole(read, account, name);
  if (!row) throw noSuchEntity(arn);
  return row.uid;
}

const simulatePrincipalPolicy = operation(
  "SimulatePrincipalPolicy",
  async (input: SimulatePrincipalPolicyRequest, { account, store, clock }) => {
    const { PolicySourceArn: source, PolicyInputList = [], CallerArn } = input;
    const uid = await idOf(store.read, account, source);
    const { identity, boundary } = await policiesOf(store.read, account, source);
    const [otherBoundary] = givenPolicies(
      input.PermissionsBoundaryPolicyInputList ?? [],
      "PermissionsBoundaryPolicyInputList",
    );
    const scene = {
      principal: principalOf(CallerArn ?? source, account, uid),
      identity: [...identity, ...givenPolicies(PolicyInputList, "PolicyInputList")],
      boundary: otherBoundary ?? boundary,
      now: clock.now(),
    };
    return simulate(scene, input);
  },
);

const keyNames = (policies: readonly PolicyText[]): string[] =>
  [...new Set(policies.flatMap(({ document }) => [...compilePolicy(document).keys]))].toSorted();

export const simulateOperations = [
  simulateCustomPolicy,
  simulatePrincipalPolicy,
  operation("GetContextKeysForCustomPolicy", async ({ PolicyInputList }) => ({
    ContextKeyNames: keyNames(givenPolicies(PolicyInputList, "PolicyInputList")),
  })),
  operation(
    "GetContextKeysForPrincipalPolicy",
    async ({ PolicySourceArn, PolicyInputList = [] }, { account, store }) => {
      await idOf(store.read, account, PolicySourceArn);
      const { identity, boundary } = await policiesOf(store.read, account, PolicySourceArn);
      const given = givenPolicies(PolicyInputList, "PolicyInputList");
      return { ContextKeyNames: keyNames([...identity, ...(boundary ? [boundary] : []), ...given]) };
    },
  ),
];
