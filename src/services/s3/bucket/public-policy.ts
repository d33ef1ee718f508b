// What a bucket policy says at a glance: whether it is one at all, and whether it is open to everybody.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
import { AwsError } from "../../../lib/aws-error.ts";
import { compilePolicy, PolicyProblem } from "../../iam/index.ts";

const maxPolicyBytes = 20_480;

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Throws MalformedPolicy. */
export function checkPolicy(text: string): void {
  if (Buffer.byteLength(text) > maxPolicyBytes) throw malformed("Policies must be at most 20480 bytes long.");
  const policy = parsed(text);
  if (!isObject(policy)) throw malformed("Policies must be valid JSON and the first byte must be '{'");
  if (policy["Statement"] === undefined) throw malformed("Missing required field Statement");
  for (const statement of listOf(policy["Statement"])) checkStatement(statement);
  try {
    compilePolicy(text, "resource");
  } catch (error) {
    throw error instanceof PolicyProblem ? malformed(error.message) : error;
  }
}

function checkStatement(statement: unknown): void {
  if (!isObject(statement)) throw malformed("Statement must be an object");
  const { Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource } = statement;
  if (Effect !== "Allow" && Effect !== "Deny") throw malformed(`Invalid effect: ${String(Effect)}`);
  if (Principal === undefined && NotPrincipal === undefined) throw malformed("Missing required field Principal");
  if (Action === undefined && NotAction === undefined) throw malformed("Missing required field Action");
  if (Resource === undefined && NotResource === undefined) throw malformed("Missing required field Resource");
}

/** Conditions that tie a statement to known places or accounts keep it from being public; `*` as their value does not. */
const narrowing =
  /^aws:(sourceip|sourcearn|sourcevpc|sourcevpce|sourceaccount|sourceowner|userid|principalorgid|principalarn|principalaccount)$|^s3:(dataaccesspointarn|dataaccesspointaccount|x-amz-server-side-encryption-aws-kms-key-id)$/i;

/** Whether a statement allows something to everybody. The text is one that checkPolicy took. */
export function isPublic(text: string): boolean {
  const policy = parsed(text);
  return isObject(policy) && listOf(policy["Statement"]).some((statement) => isObject(statement) && isOpen(statement));
}

function isOpen({ Effect, Principal, NotPrincipal, Condition }: Json): boolean {
  if (Effect !== "Allow") return false;
  if (NotPrincipal === undefined && !isEverybody(Principal)) return false;
  return !(isObject(Condition) && Object.values(Condition).some((keys) => isObject(keys) && narrows(keys)));
}

const isEverybody = (principal: unknown): boolean =>
  principal === "*" || (isObject(principal) && listOf(principal["AWS"]).includes("*"));

const narrows = (keys: Json): boolean =>
  Object.entries(keys).some(([key, value]) => narrowing.test(key) && !listOf(value).some(isWide));

const isWide = (value: unknown): boolean => value === "*" || value === "0.0.0.0/0" || value === "::/0";

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("Policies must be valid JSON and the first byte must be '{'");
  }
}

const malformed = (message: string): AwsError => new AwsError("MalformedPolicy", message);
