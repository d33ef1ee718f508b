// IAM, STS, CloudWatch Logs, CloudWatch and the rest: which resource an operation is about.
import { ecrAccess } from "./ecr-access.ts";
import { tagKeys, textOf, type NeededAccess, type OperationCall } from "./operation-call.ts";

/** Asked by anyone who can sign. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
const openToAll: ReadonlySet<string> = new Set(["GetCallerIdentity", "GetSessionToken"]);

function logsResource({ input, account, region }: OperationCall): string {
  const arn = textOf(input, "resourceArn") ?? textOf(input, "logGroupIdentifier") ?? textOf(input, "logGroupArn");
  if (arn?.startsWith("arn:") === true) return arn;
  const names = input["logGroupNames"];
  const first: unknown = Array.isArray(names) ? names[0] : undefined;
  const group = textOf(input, "logGroupName") ?? arn ?? (typeof first === "string" ? first : "");
  const stream = textOf(input, "logStreamName") ?? "";
  return `arn:aws:logs:${region}:${account}:log-group:${group}:log-stream:${stream}`;
}

function alarmResource({ operation, input, account, region }: OperationCall): string {
  const arn = textOf(input, "ResourceARN");
  if (arn !== undefined) return arn;
  if (!operation.name.includes("Alarm")) return "*";
  const names = input["AlarmNames"];
  const first: unknown = Array.isArray(names) ? names[0] : undefined;
  const name = textOf(input, "AlarmName") ?? (typeof first === "string" ? first : undefined);
  return name === undefined ? "*" : `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`;
}

const isUser = (arn: string): boolean => /:user\//.test(arn);

/** IAM's resources by the member that names them; the first that the input has is what the operation is about. */
const iamKinds = [
  ["RoleName", "role"],
  ["GroupName", "group"],
  ["UserName", "user"],
  ["InstanceProfileName", "instance-profile"],
] as const;

const lists: Readonly<Record<string, string>> = {
  ListUsers: "user",
  ListRoles: "role",
  ListGroups: "group",
  ListPolicies: "policy",
  ListInstanceProfiles: "instance-profile",
};

/** Of oneself, where no user is named. */
const aboutOneself = /^(?:Get|Update|Delete|List|Create)(?:User|AccessKeys?|LoginProfile)$|^ChangePassword$/;

function iamResource({ operation: { name }, input, account, callerArn }: OperationCall): string {
  const arnOf = (kind: string, value: string): string =>
    `arn:aws:iam::${account}:${kind}${textOf(input, "Path") ?? "/"}${value}`;
  const listed = lists[name];
  if (listed !== undefined) return `arn:aws:iam::${account}:${listed}${textOf(input, "PathPrefix") ?? "/"}`;
  for (const [member, kind] of iamKinds) {
    const value = textOf(input, member);
    if (value !== undefined) return arnOf(kind, value);
  }
  const arn = textOf(input, "PolicyArn") ?? textOf(input, "PolicySourceArn");
  if (arn !== undefined) return arn;
  const policy = textOf(input, "PolicyName");
  if (policy !== undefined) return arnOf("policy", policy);
  const service = textOf(input, "AWSServiceName");
  if (service !== undefined) return `arn:aws:iam::${account}:role/aws-service-role/${service}/*`;
  return aboutOneself.test(name) && isUser(callerArn) ? callerArn : "*";
}

function iamKeys(input: OperationCall["input"]): Record<string, readonly string[]> {
  const policy = textOf(input, "PolicyArn");
  const boundary = textOf(input, "PermissionsBoundary");
  return {
    ...(policy !== undefined && { "iam:policyarn": [policy] }),
    ...(boundary !== undefined && { "iam:permissionsboundary": [boundary] }),
  };
}

function stsAccess({ operation: { name }, input }: OperationCall): readonly NeededAccess[] {
  if (openToAll.has(name)) return [];
  const role = textOf(input, "RoleArn");
  const externalId = textOf(input, "ExternalId");
  const sessionName = textOf(input, "RoleSessionName");
  const keys = {
    ...tagKeys(input),
    ...(externalId !== undefined && { "sts:externalid": [externalId] }),
    ...(sessionName !== undefined && { "sts:rolesessionname": [sessionName] }),
  };
  const trusted = name === "AssumeRole" && role !== undefined ? { trustOf: role } : {};
  return [{ action: `sts:${name}`, resource: role ?? "*", keys, ...trusted }];
}

const resources: Readonly<Record<string, (call: OperationCall) => string>> = {
  iam: iamResource,
  logs: logsResource,
  cloudwatch: alarmResource,
};

function resourceOf(call: OperationCall): string {
  const { operation, input } = call;
  const known = resources[operation.service.name];
  return known ? known(call) : (textOf(input, "ResourceARN") ?? textOf(input, "ResourceArn") ?? "*");
}

export function otherAccess(call: OperationCall): readonly NeededAccess[] {
  const { operation, input } = call;
  const { name: service } = operation.service;
  if (service === "sts") return stsAccess(call);
  if (service === "ecr") return ecrAccess(call);
  const namespace = service === "cloudwatch" ? textOf(input, "Namespace") : undefined;
  const keys = {
    ...tagKeys(input),
    ...(service === "iam" ? iamKeys(input) : {}),
    ...(namespace !== undefined && { "cloudwatch:namespace": [namespace] }),
  };
  return [{ action: `${service}:${operation.name}`, resource: resourceOf(call), keys }];
}
