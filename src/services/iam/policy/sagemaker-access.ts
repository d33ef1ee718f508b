// SageMaker: the action is the operation's name; the resource comes from the member that names it.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
import { tagKeys, textOf, type NeededAccess, type OperationCall } from "./operation-call.ts";

type Input = OperationCall["input"];

/** The part of an ARN that says the kind, where it is not the member's name in other letters. */
const kinds: Readonly<Record<string, string>> = {
  AutoMLJob: "automl-job",
  Trial: "experiment-trial",
  TrialComponent: "experiment-trial-component",
  TrackingServer: "mlflow-tracking-server",
};

const kebab = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();

/** What the operation is about: CreateTrainingJob → TrainingJob. */
const nounOf = (operation: string): string =>
  operation.replace(/^(?:CreatePresigned|Batch[A-Z][a-z]+|[A-Z][a-z]+)(?=[A-Z])/, "").replace(/(?:V2|Url)$/, "");

function inDomain(input: Input, noun: string): string | undefined {
  const domain = textOf(input, "DomainId");
  if (domain === undefined) return undefined;
  const owner = textOf(input, "UserProfileName") ?? textOf(input, "SpaceName");
  const app = textOf(input, "AppName");
  if (app !== undefined) return `app/${domain}/${owner ?? ""}/${textOf(input, "AppType") ?? ""}/${app}`;
  if (owner !== undefined) return `${noun === "Space" ? "space" : "user-profile"}/${domain}/${owner}`;
  return `domain/${domain}`;
}

/** The name, and the kind that its member says. */
function named(input: Input, noun: string, members: Iterable<string>): { kind: string; name: string } | undefined {
  const own = textOf(input, `${noun}Name`) ?? textOf(input, "Name") ?? textOf(input, `${noun}Id`);
  if (own !== undefined) return { kind: noun, name: own };
  const generic = textOf(input, "JobDefinitionName") ?? textOf(input, "JobName");
  if (generic !== undefined) return { kind: noun, name: generic };
  for (const member of members) {
    const name = member.endsWith("Name") ? textOf(input, member) : undefined;
    if (name !== undefined) return { kind: member.slice(0, -"Name".length), name };
  }
  return undefined;
}

function arnIn(input: Input, noun: string): string | undefined {
  const arn = textOf(input, "ResourceArn") ?? textOf(input, "Arn") ?? textOf(input, `${noun}Arn`);
  return arn?.startsWith("arn:") === true ? arn : undefined;
}

function resourceOf({ operation, input, account, region }: OperationCall): string {
  const noun = nounOf(operation.name);
  if (/^(?:List|Search|QueryLineage|GetSearchSuggestions)/.test(operation.name) && !textOf(input, "ResourceArn"))
    return "*";
  const arn = arnIn(input, noun);
  if (arn !== undefined) return arn;
  const prefix = `arn:aws:sagemaker:${region}:${account}:`;
  const place = inDomain(input, noun);
  if (place !== undefined) return prefix + place;
  const found = named(input, noun, operation.input.members.keys());
  if (!found) return "*";
  return found.name.startsWith("arn:")
    ? found.name
    : `${prefix}${kinds[found.kind] ?? kebab(found.kind)}/${found.name}`;
}

/** sagemaker:InstanceTypes and the like, from wherever the input has them. */
function settings(input: Input): Record<string, readonly string[]> {
  const config = (input["ResourceConfig"] ?? {}) as Input;
  const variants = (input["ProductionVariants"] ?? []) as readonly Input[];
  const types = [input, config, ...variants].flatMap((place) => textOf(place, "InstanceType") ?? []);
  const isolated = input["EnableNetworkIsolation"];
  const { Subnets, SecurityGroupIds } = (input["VpcConfig"] ?? {}) as Readonly<Record<string, readonly string[]>>;
  return {
    ...(types.length > 0 && { "sagemaker:instancetypes": types }),
    ...(typeof isolated === "boolean" && { "sagemaker:networkisolation": [String(isolated)] }),
    ...(Subnets && { "sagemaker:vpcsubnets": Subnets }),
    ...(SecurityGroupIds && { "sagemaker:vpcsecuritygroupids": SecurityGroupIds }),
  };
}

export function sagemakerAccess(call: OperationCall): readonly NeededAccess[] {
  const { operation, input, account, region } = call;
  const { name } = operation;
  const resource = resourceOf(call);
  const keys = { ...tagKeys(input), ...settings(input) };
  const needed: NeededAccess[] = [{ action: `sagemaker:${name}`, resource, keys }];
  const config =
    name === "CreateEndpoint" || name === "UpdateEndpoint" ? textOf(input, "EndpointConfigName") : undefined;
  if (config !== undefined) {
    const configArn = `arn:aws:sagemaker:${region}:${account}:endpoint-config/${config}`;
    needed.push({ action: `sagemaker:${name}`, resource: configArn, keys });
  }
  // Whoever tags while creating must be allowed to tag.
  const tags = input["Tags"];
  if (name.startsWith("Create") && Array.isArray(tags) && tags.length > 0)
    needed.push({ action: "sagemaker:AddTags", resource, keys });
  return needed;
}
