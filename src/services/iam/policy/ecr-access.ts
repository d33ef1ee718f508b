// ECR: repositories, of the caller's own registry or of another account's, whose policies then have a say.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
import { tagKeys, textOf, type NeededAccess, type OperationCall } from "./operation-call.ts";

/** Whose registry the operation works on. */
export const registryAccount = ({ input, account }: Pick<OperationCall, "input" | "account">): string =>
  textOf(input, "registryId") ?? account;

function repositoryNames({ operation, input }: OperationCall): readonly string[] {
  const name = textOf(input, "repositoryName");
  if (name !== undefined) return [name];
  // Validated by the model.
  const names = input["repositoryNames"] as readonly string[] | undefined;
  if (names && names.length > 0) return names;
  return operation.name === "DescribeRepositories" ? ["*"] : [];
}

export function ecrAccess(call: OperationCall): readonly NeededAccess[] {
  const { operation, input, region } = call;
  const action = `ecr:${operation.name}`;
  const keys = tagKeys(input);
  const account = registryAccount(call);
  const needed = repositoryNames(call).map((name): NeededAccess => {
    const resource = `arn:aws:ecr:${region}:${account}:repository/${name}`;
    return { action, resource, repository: { account, region, name }, keys };
  });
  return needed.length > 0 ? needed : [{ action, resource: textOf(input, "resourceArn") ?? "*", keys }];
}
