import { expect, test } from "vitest";
import { createModels, type ServiceName } from "../../../models/index.ts";
import { neededAccess } from "./needed-access.ts";

const models = createModels();
const region = "us-west-2";
const account = "111122223333";
const callerArn = `arn:aws:iam::${account}:user/ann`;

function needed(service: ServiceName, name: string, input: object): string[] {
  const operation = models.serviceModel(service).operations.get(name);
  if (!operation) throw new Error(`${service} has no operation ${name}`);
  const call = { operation, input: input as Record<string, unknown>, account, region, callerArn };
  return neededAccess(call).map(({ action, resource }) => `${action} ${resource}`);
}

const b = { Bucket: "b" };
const o = { Bucket: "b", Key: "k/1" };
const bArn = "arn:aws:s3:::b";
const oArn = "arn:aws:s3:::b/k/1";
const role = `arn:aws:iam::${account}:role/R`;
const sagemaker = (rest: string): string => `arn:aws:sagemaker:${region}:${account}:${rest}`;
const iam = (rest: string): string => `arn:aws:iam::${account}:${rest}`;

test.for<[ServiceName, string, object, string[]]>([
  ["s3", "ListBuckets", {}, ["s3:ListAllMyBuckets arn:aws:s3:::*"]],
  ["s3", "HeadBucket", b, [`s3:ListBucket ${bArn}`]],
  ["s3", "ListObjectsV2", b, [`s3:ListBucket ${bArn}`]],
  ["s3", "ListObjectVersions", b, [`s3:ListBucketVersions ${bArn}`]],
  ["s3", "GetBucketLifecycleConfiguration", b, [`s3:GetLifecycleConfiguration ${bArn}`]],
  ["s3", "DeleteBucketCors", b, [`s3:PutBucketCORS ${bArn}`]],
  ["s3", "ListBucketMetricsConfigurations", b, [`s3:GetMetricsConfiguration ${bArn}`]],
  ["s3", "DeleteBucketInventoryConfiguration", b, [`s3:PutInventoryConfiguration ${bArn}`]],
  ["s3", "PutBucketPolicy", b, [`s3:PutBucketPolicy ${bArn}`]],
  ["s3", "GetObject", o, [`s3:GetObject ${oArn}`]],
  ["s3", "HeadObject", { ...o, VersionId: "v" }, [`s3:GetObjectVersion ${oArn}`]],
  ["s3", "GetObjectTagging", { ...o, VersionId: "v" }, [`s3:GetObjectVersionTagging ${oArn}`]],
  ["s3", "GetObjectAttributes", o, [`s3:GetObjectAttributes ${oArn}`, `s3:GetObject ${oArn}`]],
  ["s3", "PutObject", o, [`s3:PutObject ${oArn}`]],
  ["s3", "PutObject", { ...o, Tagging: "a=b" }, [`s3:PutObject ${oArn}`, `s3:PutObjectTagging ${oArn}`]],
  ["s3", "UploadPart", o, [`s3:PutObject ${oArn}`]],
  ["s3", "AbortMultipartUpload", o, [`s3:AbortMultipartUpload ${oArn}`]],
  ["s3", "ListParts", o, [`s3:ListMultipartUploadParts ${oArn}`]],
  ["s3", "CopyObject", { ...o, CopySource: "/c/x%2Fy" }, [`s3:PutObject ${oArn}`, "s3:GetObject arn:aws:s3:::c/x/y"]],
  [
    "s3",
    "UploadPartCopy",
    { ...o, CopySource: "c/x?versionId=1" },
    [`s3:PutObject ${oArn}`, "s3:GetObjectVersion arn:aws:s3:::c/x"],
  ],
  ["s3", "DeleteObject", { ...o, VersionId: "v" }, [`s3:DeleteObjectVersion ${oArn}`]],
  [
    "s3",
    "DeleteObjects",
    { ...b, Delete: { Objects: [{ Key: "x" }, { Key: "y", VersionId: "1" }] } },
    [`s3:DeleteObject ${bArn}/x`, `s3:DeleteObjectVersion ${bArn}/y`],
  ],
  [
    "sagemaker",
    "CreateTrainingJob",
    { TrainingJobName: "j", RoleArn: role, Tags: [{ Key: "a", Value: "b" }] },
    [
      `sagemaker:CreateTrainingJob ${sagemaker("training-job/j")}`,
      `sagemaker:AddTags ${sagemaker("training-job/j")}`,
      `iam:PassRole ${role}`,
    ],
  ],
  ["sagemaker", "ListTrainingJobs", {}, ["sagemaker:ListTrainingJobs *"]],
  ["sagemaker", "AddTags", { ResourceArn: sagemaker("model/m") }, [`sagemaker:AddTags ${sagemaker("model/m")}`]],
  ["sagemaker", "ListTags", { ResourceArn: sagemaker("model/m") }, [`sagemaker:ListTags ${sagemaker("model/m")}`]],
  [
    "sagemaker",
    "CreateModel",
    { ModelName: "m", ExecutionRoleArn: role },
    [`sagemaker:CreateModel ${sagemaker("model/m")}`, `iam:PassRole ${role}`],
  ],
  [
    "sagemaker",
    "CreateEndpoint",
    { EndpointName: "e", EndpointConfigName: "c" },
    [
      `sagemaker:CreateEndpoint ${sagemaker("endpoint/e")}`,
      `sagemaker:CreateEndpoint ${sagemaker("endpoint-config/c")}`,
    ],
  ],
  [
    "sagemaker",
    "UpdateEndpointWeightsAndCapacities",
    { EndpointName: "e" },
    [`sagemaker:UpdateEndpointWeightsAndCapacities ${sagemaker("endpoint/e")}`],
  ],
  [
    "sagemaker",
    "DescribeTrialComponent",
    { TrialComponentName: "t" },
    [`sagemaker:DescribeTrialComponent ${sagemaker("experiment-trial-component/t")}`],
  ],
  [
    "sagemaker",
    "CreateAutoMLJobV2",
    { AutoMLJobName: "a", RoleArn: role },
    [`sagemaker:CreateAutoMLJobV2 ${sagemaker("automl-job/a")}`, `iam:PassRole ${role}`],
  ],
  [
    "sagemaker",
    "CreateUserProfile",
    { DomainId: "d-1", UserProfileName: "u", UserSettings: { ExecutionRole: role } },
    [`sagemaker:CreateUserProfile ${sagemaker("user-profile/d-1/u")}`, `iam:PassRole ${role}`],
  ],
  [
    "sagemaker",
    "CreateModelQualityJobDefinition",
    { JobDefinitionName: "q", RoleArn: role },
    [
      `sagemaker:CreateModelQualityJobDefinition ${sagemaker("model-quality-job-definition/q")}`,
      `iam:PassRole ${role}`,
    ],
  ],
  [
    "sagemaker-runtime",
    "InvokeEndpoint",
    { EndpointName: "e" },
    [`sagemaker:InvokeEndpoint ${sagemaker("endpoint/e")}`],
  ],
  ["iam", "GetRole", { RoleName: "R" }, [`iam:GetRole ${role}`]],
  ["iam", "AttachRolePolicy", { RoleName: "R", PolicyArn: "arn:p" }, [`iam:AttachRolePolicy ${role}`]],
  ["iam", "AddUserToGroup", { UserName: "u", GroupName: "g" }, [`iam:AddUserToGroup ${iam("group/g")}`]],
  ["iam", "CreatePolicy", { PolicyName: "p", Path: "/x/" }, [`iam:CreatePolicy ${iam("policy/x/p")}`]],
  ["iam", "GetUser", {}, [`iam:GetUser ${callerArn}`]],
  ["iam", "ListUsers", {}, [`iam:ListUsers ${iam("user/")}`]],
  ["iam", "GetAccountSummary", {}, ["iam:GetAccountSummary *"]],
  ["sts", "GetCallerIdentity", {}, []],
  ["sts", "GetSessionToken", {}, []],
  ["sts", "AssumeRole", { RoleArn: role }, [`sts:AssumeRole ${role}`]],
  [
    "logs",
    "PutLogEvents",
    { logGroupName: "g", logStreamName: "s" },
    [`logs:PutLogEvents arn:aws:logs:${region}:${account}:log-group:g:log-stream:s`],
  ],
  [
    "logs",
    "DescribeLogGroups",
    {},
    [`logs:DescribeLogGroups arn:aws:logs:${region}:${account}:log-group::log-stream:`],
  ],
  ["cloudwatch", "PutMetricData", { Namespace: "n" }, ["cloudwatch:PutMetricData *"]],
  [
    "cloudwatch",
    "PutMetricAlarm",
    { AlarmName: "a" },
    [`cloudwatch:PutMetricAlarm arn:aws:cloudwatch:${region}:${account}:alarm:a`],
  ],
  [
    "ecr",
    "DescribeImages",
    { repositoryName: "r" },
    [`ecr:DescribeImages arn:aws:ecr:${region}:${account}:repository/r`],
  ],
])("%s %s %j", ([service, name, input, expected]) => {
  expect(needed(service, name, input)).toEqual(expected);
});

test("every operation of every service needs something, but for those that everyone may", () => {
  const free: string[] = [];
  for (const service of models.names) {
    for (const [name, operation] of models.serviceModel(service).operations) {
      const required = [...operation.input.members.values()].filter((member) => member.isRequired);
      const input = Object.fromEntries(
        required.filter(({ shape }) => shape.type === "string").map((m) => [m.name, "x"]),
      );
      const wanted = needed(service, name, input);
      if (wanted.length === 0) free.push(`${service}.${name}`);
      for (const each of wanted) expect(each).toMatch(/^[a-z0-9-]+:[A-Za-z0-9]+ (?:\*|arn:.+|x)$/);
    }
  }
  // DeleteObjects without objects is refused by its handler.
  expect(free).toEqual(["s3.DeleteObjects", "sts.GetCallerIdentity", "sts.GetSessionToken"]);
});
