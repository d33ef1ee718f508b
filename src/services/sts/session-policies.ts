// Policies that a session is given to border it: one document, and managed policies by their ARN.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
import type { Store } from "../../database/store.ts";
import { AwsError } from "../../lib/aws-error.ts";
import type { PolicyDescriptorType } from "../../models/generated/sts.ts";
import { checkPolicyDocument, policyDocumentOf } from "../iam/index.ts";

interface Given {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: readonly PolicyDescriptorType[] | undefined;
}

const maxCharacters = 2_048;
const maxArns = 10;

/** Undefined where nothing was given: the session may what it is made of may. */
export const packedPolicySize = ({ Policy, PolicyArns = [] }: Given): number | undefined => {
  if (Policy === undefined && PolicyArns.length === 0) return undefined;
  const arns = PolicyArns.reduce((sum, { arn = "" }) => sum + arn.length, 0);
  return Math.ceil((((Policy ?? "").length + arns) * 100) / (2 * maxCharacters));
};

/** Throws MalformedPolicyDocument, PackedPolicyTooLarge, or ValidationError for a policy that is not there. */
export async function bordersOf(
  read: Store["read"],
  account: string,
  { Policy, PolicyArns = [] }: Given,
): Promise<{ readonly policies?: readonly string[]; readonly policyArns?: readonly string[] }> {
  if (Policy !== undefined) {
    if (Policy.length > maxCharacters) {
      throw new AwsError("PackedPolicyTooLarge", `The session policy is longer than ${maxCharacters} characters.`);
    }
    checkPolicyDocument(Policy, "identity");
  }
  const arns = PolicyArns.flatMap(({ arn }) => (arn === undefined ? [] : [arn]));
  if (arns.length > maxArns)
    throw new AwsError("ValidationError", `A session has at most ${maxArns} managed policies.`);
  for (const arn of arns) {
    if ((await policyDocumentOf(read, account, arn)) === undefined) {
      throw new AwsError("ValidationError", `Policy ${arn} does not exist or is not attachable.`, { httpStatus: 400 });
    }
  }
  return { ...(Policy !== undefined && { policies: [Policy] }), ...(arns.length > 0 && { policyArns: arns }) };
}
