// Decides whether callers, and the roles that jobs act as, may do what they ask for.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Store } from "../../../database/store.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Log } from "../../../lib/log.ts";
import type { OperationModel } from "../../../models/index.ts";
import type { Caller } from "../../service.ts";
import { findRoleByArn } from "../roles.ts";
import { denial } from "./denial.ts";
import { registryAccount } from "./ecr-access.ts";
import { evaluate, type Decision, type NamedPolicy, type PoliciesInForce, type Principal } from "./evaluate.ts";
import { hasObjectList, listAccess, type BucketLists, type FindListedObject } from "./list-access.ts";
import { isListOfNewObject, type ListNaming } from "./list-grants.ts";
import { neededAccess } from "./needed-access.ts";
import type { NeededAccess } from "./operation-call.ts";
import { PolicyCache } from "./policy-cache.ts";
import { Principals, type KnownPrincipal } from "./principals.ts";
import { Recent } from "./recent.ts";
import { conditionKeys, resourceTagPrefixes, type RequestFacts, type Tags } from "./request-keys.ts";
import { withPaths } from "./iam-paths.ts";
import { bucketAccess } from "./s3-access.ts";
import { tagsOfResource } from "./resource-tags.ts";

export interface OperationRequest {
  readonly caller: Caller;
  readonly region: string;
  readonly operation: OperationModel;
  /** Parsed and validated. */
  readonly input: unknown;
  readonly http: {
    readonly isSecure: boolean;
    readonly remoteAddress: string;
    readonly headers: Readonly<Record<string, string>>;
  };
}

/** An action that is no operation of a service's, on everything of the account. */
export interface ActionRequest extends Omit<OperationRequest, "operation" | "input"> {
  /** e.g. ce:GetCostAndUsage */
  readonly action: string;
}

/** Whose data the operation works on: of buckets that others opened to the caller, their owner's. */
export interface Authorised {
  readonly account: string;
  /** Of a copy, whose the source is. */
  readonly sourceAccount?: string;
  /** Of DeleteObjects, by place: why not that object. */
  readonly refusals?: readonly (AwsError | undefined)[];
  /** Of reads of an object: whether the caller may learn that it is not there. */
  readonly mayList?: () => Promise<boolean>;
}

export interface BucketFacts {
  readonly account: string;
  readonly policy: string | undefined;
  /** The policy holds for its owner's account alone. */
  readonly isRestricted: boolean;
  /** Undefined: its access control lists are of no effect. */
  readonly lists?: BucketLists | undefined;
}

export interface AuthoriserOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: there is no such bucket. */
  readonly bucket: (name: string) => Promise<BucketFacts | undefined>;
  /** The owner and the list of an object, or of a version of it; undefined: it is not there. */
  readonly listedObject?: FindListedObject;
  /** The policy of an ECR repository, if it has one. */
  readonly repositoryPolicy?: (repository: NonNullable<NeededAccess["repository"]>) => Promise<string | undefined>;
  /** S3's name of an account. */
  readonly canonicalUserId: (account: string) => string;
}

const isRoot = (arn: string): boolean => arn.endsWith(":root");

const noSuchBucket = (bucket: string): AwsError =>
  new AwsError("NoSuchBucket", "The specified bucket does not exist", { fields: { BucketName: bucket } });

/** Of an object that is not there, they tell 403 to who may not list its bucket. */
const readsObject: ReadonlySet<string> = new Set(["GetObject", "HeadObject", "GetObjectAttributes"]);

interface Question {
  readonly known: KnownPrincipal;
  readonly access: NeededAccess;
  readonly facts: RequestFacts;
}

/** The rest of a decision: whose the resource is, and what its own policy says. */
interface Resource {
  readonly account: string | undefined;
  readonly policy: NamedPolicy | undefined;
  readonly listed?: ListNaming | undefined;
  readonly onlyDenies?: boolean;
}

const asksForTags = (policies: readonly NamedPolicy[]): boolean =>
  policies.some(({ policy }) =>
    [...policy.keys].some((key) => resourceTagPrefixes.some((prefix) => key.startsWith(prefix))),
  );

export class Authoriser {
  readonly #options: AuthoriserOptions;
  readonly #policies: PolicyCache;
  readonly #principals: Principals;
  readonly #buckets: Recent<BucketFacts | undefined>;

  constructor(options: AuthoriserOptions) {
    this.#options = options;
    this.#policies = new PolicyCache(options.log);
    this.#principals = new Principals(options, this.#policies);
    this.#buckets = new Recent(options.clock);
  }

  /** After users, roles, policies or buckets have changed. */
  forget(): void {
    this.#principals.forget();
    this.#buckets.forget();
  }

  /** Throws the service's AccessDenied, and NoSuchBucket where nobody in particular asks for a bucket that is not there. */
  async authorise(request: OperationRequest): Promise<Authorised> {
    const { caller, operation } = request;
    const isS3 = operation.service.name === "s3";
    // Validated by the model: an operation's input is a structure.
    const input = request.input as Readonly<Record<string, unknown>>;
    const isEcr = operation.service.name === "ecr";
    const own = { account: isEcr ? registryAccount({ input, account: caller.account }) : caller.account };
    const isAtHome = own.account === caller.account && !isS3 && operation.name !== "AssumeRole";
    if (isRoot(caller.arn) && isAtHome) return own;
    const { region } = request;
    const call = { operation, input, account: caller.account, region, callerArn: caller.arn };
    const needed = await withPaths(this.#options.store.read, neededAccess(call));
    if (needed.length === 0) return own;
    const owners = await Promise.all(needed.map((access) => this.#owner(access)));
    const authorised = isS3 ? authorisedFor(own.account, owners) : own;
    const isAllOwn = owners.every((owner) => (owner ?? own.account) === own.account);
    if (isRoot(caller.arn) && isS3 && isAllOwn && !(await this.#asksLists(needed))) return own;
    const known = await this.#principals.ofCaller(caller);
    const facts = requestFacts(request, this.#options.clock.now());
    const ask = (access: NeededAccess): Question => ({ known, access, facts });
    return { ...authorised, ...(await this.#settle(needed.map(ask), operation)) };
  }

  /** Throws AccessDeniedException. */
  async authoriseAction(request: ActionRequest): Promise<void> {
    const { caller, action } = request;
    if (isRoot(caller.arn)) return;
    const known = await this.#principals.ofCaller(caller);
    const access = { action, resource: "*", keys: {} };
    const decision = await this.#decide({ known, access, facts: requestFacts(request, this.#options.clock.now()) });
    if (!decision.isAllowed) throw denial("sagemaker", known.principal, access, decision, caller.account);
  }

  /** Throws the first problem, but for those of single deletions among many. */
  async #settle(questions: readonly Question[], operation: OperationModel): Promise<Omit<Authorised, "account">> {
    const problems = questions.map((question) => this.#problem(question, operation));
    if (operation.name === "DeleteObjects") return { refusals: await Promise.all(problems) };
    const problem = (await Promise.all(problems)).find((each) => each !== undefined);
    if (problem) throw problem;
    const [first] = questions;
    const bucket = readsObject.has(operation.name) ? first?.access.bucket : undefined;
    if (!first || bucket === undefined) return {};
    const list = { ...first, access: bucketAccess("ListBucket", bucket) };
    return { mayList: async () => (await this.#decide(list)).isAllowed };
  }

  /** As the role, which a job or endpoint of SageMaker acts as. The decision, and whose the bucket is. */
  async decideForRole(roleArn: string, region: string, access: NeededAccess): Promise<RoleDecision> {
    const known = await this.#principals.ofRole(roleArn);
    const owner = await this.#owner(access);
    if (!known) return { owner, problem: `There is no role ${roleArn}.` };
    const facts: RequestFacts = {
      now: this.#options.clock.now(),
      region,
      isSecure: true,
      sourceIp: undefined,
      userAgent: undefined,
      referer: undefined,
      isTemporary: true,
    };
    const decision = await this.#decide({ known, access, facts });
    if (decision.isAllowed) return { owner, problem: undefined };
    const service = access.repository ? "ecr" : "s3";
    return { owner, problem: denial(service, known.principal, access, decision, owner).message };
  }

  /** True where the role exists and its trust policy lets the service assume it. */
  async serviceMayAssume(roleArn: string, service: string): Promise<boolean> {
    const role = await findRoleByArn(this.#options.store.read, roleArn);
    if (!role) return false;
    const principal: Principal = { account: undefined, arn: service, userId: service, service };
    const decision = evaluate(
      { principal, action: "sts:AssumeRole", resource: roleArn, keys: () => undefined },
      { identity: [], resource: this.#policies.compile("trust policy", role.trust_policy) },
    );
    return decision.isAllowed;
  }

  async #problem(question: Question, operation: OperationModel): Promise<AwsError | undefined> {
    const { access, known } = question;
    const owner = await this.#owner(access);
    if (known.principal.account === undefined && access.bucket !== undefined && operation.name !== "CreateBucket")
      if (owner === undefined) return noSuchBucket(access.bucket);
    const decision = await this.#decide(question);
    if (decision.isAllowed) return undefined;
    return denial(operation.service.name, known.principal, access, decision, owner);
  }

  async #decide({ known, access, facts }: Question): Promise<Decision> {
    const { principal, policies } = known;
    const resource = await this.#resource(access, principal);
    const inForce: PoliciesInForce = {
      ...policies,
      resource: resource.policy,
      resourceOnlyDenies: resource.onlyDenies ?? false,
      listed: resource.listed,
      resourceAccount: resource.account,
      needsResourcePolicy: access.trustOf !== undefined,
    };
    const all = [...policies.identity, ...(policies.session ?? []), policies.boundary, resource.policy].filter(
      (each) => each !== undefined,
    );
    const resourceTags: Tags = asksForTags(all) ? await tagsOfResource(this.#options.store.read, access) : [];
    const keys = conditionKeys({
      principal,
      facts,
      own: access.keys,
      resourceAccount: resource.account,
      principalTags: known.tags,
      resourceTags,
    });
    return evaluate({ principal, action: access.action, resource: access.resource, keys }, inForce);
  }

  async #resource(access: NeededAccess, principal: Principal): Promise<Resource> {
    const { bucket, trustOf, repository } = access;
    if (repository) {
      const policy = await this.#options.repositoryPolicy?.(repository);
      const compiled = policy === undefined ? undefined : this.#policies.compile("repository policy", policy);
      return { account: repository.account, policy: compiled };
    }
    if (trustOf !== undefined) {
      const role = await findRoleByArn(this.#options.store.read, trustOf);
      // Of a role that is not there nobody learns more than of one that they may not assume.
      if (!role) return { account: principal.account, policy: undefined };
      return { account: role.account, policy: this.#policies.compile("trust policy", role.trust_policy) };
    }
    const facts = bucket === undefined ? undefined : await this.#bucket(bucket);
    return facts ? this.#inBucket(access, principal, facts) : { account: principal.account, policy: undefined };
  }

  async #inBucket(access: NeededAccess, principal: Principal, facts: BucketFacts): Promise<Resource> {
    const { account, policy: text, isRestricted, lists } = facts;
    const policy = text === undefined ? undefined : this.#policies.compile("bucket policy", text);
    const isShutOut = isRestricted && account !== principal.account;
    if (isListOfNewObject(access)) return { account, policy, onlyDenies: isShutOut, listed: "account" };
    if (!lists) return { account, policy, onlyDenies: isShutOut };
    const { listedObject = async () => undefined } = this.#options;
    const { owner, listed } = await listAccess(access, principal, lists, account, listedObject);
    return { account: owner, policy, onlyDenies: isShutOut || owner !== account, listed };
  }

  /** Whether objects of others may be among what is asked for, which not even the root of their bucket's account owns. */
  async #asksLists(needed: readonly NeededAccess[]): Promise<boolean> {
    const asked = needed.filter((access) => access.bucket !== undefined && hasObjectList(access));
    const facts = await Promise.all(asked.map(({ bucket = "" }) => this.#bucket(bucket)));
    return facts.some((each) => each?.lists !== undefined);
  }

  async #owner({ bucket }: NeededAccess): Promise<string | undefined> {
    return bucket === undefined ? undefined : (await this.#bucket(bucket))?.account;
  }

  #bucket(name: string): Promise<BucketFacts | undefined> {
    return this.#buckets.get(name, () => this.#options.bucket(name));
  }
}

export interface RoleDecision {
  /** Account of the bucket; undefined: there is no such bucket, or the access is to none. */
  readonly owner: string | undefined;
  /** Why not, as AWS tells it. */
  readonly problem: string | undefined;
}

const requestFacts = (
  { caller, region, http }: Omit<OperationRequest, "operation" | "input">,
  now: Date,
): RequestFacts => ({
  now,
  region,
  isSecure: http.isSecure,
  sourceIp: http.remoteAddress === "" ? undefined : http.remoteAddress.replace(/^::ffff:(?=\d+\.)/i, ""),
  userAgent: http.headers["user-agent"],
  referer: http.headers["referer"],
  isTemporary: caller.accessKeyId.startsWith("ASIA"),
});

/** The first access is to the bucket that the operation works on, a copy's last to its source. */
function authorisedFor(account: string, owners: readonly (string | undefined)[]): Authorised {
  const target = owners[0] ?? account;
  const source = owners.at(-1) ?? target;
  return source === target ? { account: target } : { account: target, sourceAccount: source };
}
