import {
  AddRoleToInstanceProfileCommand,
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetAccountAuthorizationDetailsCommand,
  GetAccountSummaryCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListEntitiesForPolicyCommand,
  ListGroupsForUserCommand,
  ListInstanceProfilesForRoleCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListUsersCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  SimulateCustomPolicyCommand,
  SimulatePrincipalPolicyCommand,
  TagUserCommand,
  UpdateAccessKeyCommand,
  UpdateUserCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeAccount, startFakeSalvia, type FakeSalvia } from "../../salvia.fake.ts";

const document = (Effect: "Allow" | "Deny", Action: string | string[], Resource = "*", rest: object = {}): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect, Action, Resource, ...rest }] });
const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

let salvia: FakeSalvia;
let iam: IAMClient;

beforeAll(async () => {
  salvia = await startFakeSalvia();
  iam = new IAMClient(salvia.client);
});
afterAll(() => salvia.stop());

async function newUser(UserName: string) {
  const { User } = await iam.send(new CreateUserCommand({ UserName }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  if (!User || !AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey) throw new Error("no user with a key");
  const credentials = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
  return { user: User, credentials, client: { ...salvia.client, credentials } };
}

test("a user signs with its own key, until the key is inactive or deleted, and keeps it under a new name", async () => {
  const { user, credentials, client } = await newUser("ann");
  expect(user.Arn).toBe(`arn:aws:iam::${fakeAccount}:user/ann`);
  expect(user.UserId).toMatch(/^AIDA[A-Z2-7]{17}$/);
  const who = () => new STSClient({ ...client, maxAttempts: 1 }).send(new GetCallerIdentityCommand({}));
  expect(await who()).toMatchObject({ Arn: user.Arn, UserId: user.UserId, Account: fakeAccount });

  const AccessKeyId = credentials.accessKeyId;
  const lastUsed = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
  expect(lastUsed.AccessKeyLastUsed).toMatchObject({ ServiceName: "sts", Region: salvia.client.region });

  await iam.send(new UpdateUserCommand({ UserName: "ann", NewUserName: "anna", NewPath: "/team/" }));
  expect((await who()).Arn).toBe(`arn:aws:iam::${fakeAccount}:user/team/anna`);
  const UserName = "anna";
  await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: "Inactive" }));
  await expect(who()).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: "Active" }));
  expect((await iam.send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata).toMatchObject([
    { UserName, AccessKeyId, Status: "Active" },
  ]);
  await expect(iam.send(new DeleteUserCommand({ UserName }))).rejects.toMatchObject({
    name: "DeleteConflictException",
    message: "Cannot delete entity, must delete access keys first.",
  });
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  await expect(who()).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  await iam.send(new DeleteUserCommand({ UserName }));
  await expect(iam.send(new GetUserCommand({ UserName }))).rejects.toMatchObject({
    name: "NoSuchEntityException",
    message: "The user with name anna cannot be found.",
  });
});

test("a user has two keys at most, and a name only once", async () => {
  await newUser("bob");
  await iam.send(new CreateAccessKeyCommand({ UserName: "bob" }));
  await expect(iam.send(new CreateAccessKeyCommand({ UserName: "bob" }))).rejects.toMatchObject({
    name: "LimitExceededException",
  });
  await expect(iam.send(new CreateUserCommand({ UserName: "BOB" }))).rejects.toMatchObject({
    name: "EntityAlreadyExistsException",
    message: "User with name BOB already exists.",
  });
});

test("users come in pages and below a path", async () => {
  for (const name of ["p1", "p2", "p3"]) await iam.send(new CreateUserCommand({ UserName: name, Path: "/pages/" }));
  const seen: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await iam.send(new ListUsersCommand({ PathPrefix: "/pages/", MaxItems: 2, Marker }));
    seen.push(...(page.Users ?? []).map((user) => user.UserName));
    ({ Marker } = page);
  } while (Marker !== undefined);
  expect(seen).toEqual(["p1", "p2", "p3"]);
});

test("a user may what its policies, its groups' and its boundary let it, from the moment that they do", async () => {
  const { client } = await newUser("cas");
  const as = new IAMClient({ ...client, maxAttempts: 1 });
  const list = () => as.send(new ListUsersCommand({}));
  const denied = { name: "AccessDenied" };
  await expect(list()).rejects.toMatchObject(denied);
  await iam.send(new CreateGroupCommand({ GroupName: "readers" }));
  const PolicyArn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
  await iam.send(new AttachGroupPolicyCommand({ GroupName: "readers", PolicyArn }));
  await iam.send(new AddUserToGroupCommand({ GroupName: "readers", UserName: "cas" }));
  expect((await list()).Users?.length).toBeGreaterThan(0);
  expect((await iam.send(new ListGroupsForUserCommand({ UserName: "cas" }))).Groups).toMatchObject([
    { GroupName: "readers" },
  ]);
  const PermissionsBoundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
  await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: "cas", PermissionsBoundary }));
  await expect(list()).rejects.toMatchObject(denied);
  await iam.send(
    new PutUserPermissionsBoundaryCommand({
      UserName: "cas",
      PermissionsBoundary: "arn:aws:iam::aws:policy/AdministratorAccess",
    }),
  );
  await list();
  await iam.send(
    new PutUserPolicyCommand({ UserName: "cas", PolicyName: "no", PolicyDocument: document("Deny", "iam:*") }),
  );
  await expect(list()).rejects.toMatchObject(denied);
  await iam.send(new RemoveUserFromGroupCommand({ GroupName: "readers", UserName: "cas" }));
  await expect(list()).rejects.toMatchObject(denied);
});

test("a managed policy has up to five versions, of which the default one is in force", async () => {
  const { client } = await newUser("dan");
  const as = new IAMClient({ ...client, maxAttempts: 1 });
  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: "mine", Path: "/p/", PolicyDocument: document("Allow", "s3:*") }),
  );
  const PolicyArn = Policy?.Arn ?? "";
  expect(PolicyArn).toBe(`arn:aws:iam::${fakeAccount}:policy/p/mine`);
  await iam.send(new AttachUserPolicyCommand({ UserName: "dan", PolicyArn }));
  await expect(as.send(new ListUsersCommand({}))).rejects.toMatchObject({ name: "AccessDenied" });
  const next = document("Allow", ["s3:*", "iam:ListUsers"]);
  await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: next, SetAsDefault: true }));
  await as.send(new ListUsersCommand({}));
  const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
  expect(decodeURIComponent(PolicyVersion?.Document ?? "")).toBe(next);
  for (let more = 0; more < 3; more += 1) {
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: next }));
  }
  await expect(iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: next }))).rejects.toMatchObject({
    name: "LimitExceededException",
  });
  const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
  expect(Versions?.map(({ VersionId, IsDefaultVersion }) => [VersionId, IsDefaultVersion])).toEqual([
    ["v5", false],
    ["v4", false],
    ["v3", false],
    ["v2", true],
    ["v1", false],
  ]);
  const conflict = { name: "DeleteConflictException" };
  await expect(iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v2" }))).rejects.toMatchObject(
    conflict,
  );
  await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject(conflict);
  const { PolicyUsers } = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn }));
  expect(PolicyUsers?.map((user) => user.UserName)).toEqual(["dan"]);
  expect((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy).toMatchObject({ AttachmentCount: 1 });
  await iam.send(new DetachUserPolicyCommand({ UserName: "dan", PolicyArn }));
  for (const VersionId of ["v1", "v3", "v4", "v5"]) {
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }));
  }
  await iam.send(new DeletePolicyCommand({ PolicyArn }));
  await expect(iam.send(new GetPolicyCommand({ PolicyArn }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
});

test("what is no policy is refused with its reason, and AWS's policies can be read but not changed", async () => {
  const bad = new CreatePolicyCommand({
    PolicyName: "bad",
    PolicyDocument: '{"Version":"2012-10-17","Statement":[{}]}',
  });
  await expect(iam.send(bad)).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
  const PolicyArn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
  expect(Policy).toMatchObject({ PolicyName: "AmazonSageMakerFullAccess", DefaultVersionId: "v1" });
  await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject({ name: "AccessDenied" });
  const { Policies } = await iam.send(new ListPoliciesCommand({ Scope: "AWS", MaxItems: 200 }));
  expect(Policies?.map((policy) => policy.Arn)).toContain(PolicyArn);
  await expect(
    iam.send(new AttachGroupPolicyCommand({ GroupName: "readers", PolicyArn: "arn:aws:iam::aws:policy/Nothing" })),
  ).rejects.toMatchObject({ name: "NoSuchEntityException" });
});

test("a role in an instance profile cannot be deleted, and one of a service only through it", async () => {
  await iam.send(new CreateRoleCommand({ RoleName: "web", AssumeRolePolicyDocument: trust }));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: "web" }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "web", RoleName: "web" }));
  const { InstanceProfiles } = await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: "web" }));
  expect(InstanceProfiles).toMatchObject([{ InstanceProfileName: "web", Roles: [{ RoleName: "web" }] }]);
  await expect(iam.send(new DeleteRoleCommand({ RoleName: "web" }))).rejects.toMatchObject({
    name: "DeleteConflictException",
  });
  const AWSServiceName = "sagemaker.application-autoscaling.amazonaws.com";
  const { Role } = await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }));
  expect(Role?.Path).toBe(`/aws-service-role/${AWSServiceName}/`);
  await expect(iam.send(new DeleteRoleCommand({ RoleName: Role?.RoleName }))).rejects.toMatchObject({
    name: "UnmodifiableEntityException",
  });
});

test("the simulator tells allowed, denied and not allowed apart, by which policy, and what context is missing", async () => {
  const decisions = async (input: string[], ActionNames: string[]) => {
    const answer = await iam.send(new SimulateCustomPolicyCommand({ PolicyInputList: input, ActionNames }));
    return (answer.EvaluationResults ?? []).map((result) => result.EvalDecision);
  };
  const policies = [document("Allow", "s3:*"), document("Deny", "s3:DeleteObject")];
  expect(await decisions(policies, ["s3:GetObject", "s3:DeleteObject", "iam:ListUsers"])).toEqual([
    "allowed",
    "explicitDeny",
    "implicitDeny",
  ]);
  await iam.send(new CreateUserCommand({ UserName: "eve" }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: "eve",
      PolicyName: "home",
      PolicyDocument: document("Allow", "s3:GetObject", "arn:aws:s3:::data/${aws:username}/*", {
        Condition: { StringEquals: { "aws:RequestedRegion": "us-west-2" } },
      }),
    }),
  );
  const simulate = (resource: string, ContextEntries: { ContextKeyName: string; ContextKeyValues: string[] }[]) =>
    iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: `arn:aws:iam::${fakeAccount}:user/eve`,
        ActionNames: ["s3:GetObject"],
        ResourceArns: [resource],
        ContextEntries: ContextEntries.map((entry) => ({ ...entry, ContextKeyType: "string" as const })),
      }),
    );
  const region = { ContextKeyName: "aws:RequestedRegion", ContextKeyValues: ["us-west-2"] };
  expect((await simulate("arn:aws:s3:::data/eve/a", [region])).EvaluationResults).toMatchObject([
    { EvalDecision: "allowed", MatchedStatements: [{ SourcePolicyId: "home", SourcePolicyType: "user" }] },
  ]);
  expect((await simulate("arn:aws:s3:::data/bob/a", [region])).EvaluationResults).toMatchObject([
    { EvalDecision: "implicitDeny" },
  ]);
  expect((await simulate("arn:aws:s3:::data/eve/a", [])).EvaluationResults).toMatchObject([
    { EvalDecision: "implicitDeny", MissingContextValues: ["aws:requestedregion"] },
  ]);
});

test("the account tells what it has", async () => {
  await iam.send(new CreateUserCommand({ UserName: "fay" }));
  await iam.send(new TagUserCommand({ UserName: "fay", Tags: [{ Key: "team", Value: "a" }] }));
  const { SummaryMap } = await iam.send(new GetAccountSummaryCommand({}));
  const { UserDetailList, RoleDetailList } = await iam.send(
    new GetAccountAuthorizationDetailsCommand({ Filter: ["User"] }),
  );
  expect(SummaryMap?.["Users"]).toBe(UserDetailList?.length);
  expect(RoleDetailList ?? []).toEqual([]);
  expect(UserDetailList?.find((user) => user.UserName === "fay")).toMatchObject({
    Tags: [{ Key: "team", Value: "a" }],
  });
});
