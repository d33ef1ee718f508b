import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  ListGroupsCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
  type Credentials,
} from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeAccount, startFakeSalvia, type FakeSalvia } from "../../salvia.fake.ts";

const statement = (Action: string | string[], rest: object = { Resource: "*" }): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, ...rest }] });
const trusting = (Condition?: object): string =>
  statement(["sts:AssumeRole", "sts:TagSession"], {
    Principal: { AWS: `arn:aws:iam::${fakeAccount}:root` },
    ...(Condition && { Condition }),
  });
const roleArn = (name: string): string => `arn:aws:iam::${fakeAccount}:role/${name}`;

let salvia: FakeSalvia;
let iam: IAMClient;
let ann: FakeSalvia["client"];

/** The client of whoever holds these credentials; it says at once what is refused. */
function clientOf(credentials: Partial<Credentials> | undefined): FakeSalvia["client"] {
  if (!credentials?.AccessKeyId || !credentials.SecretAccessKey) throw new Error("no credentials");
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken } = credentials;
  const token = SessionToken === undefined ? {} : { sessionToken: SessionToken };
  return { ...salvia.client, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey, ...token } };
}

beforeAll(async () => {
  salvia = await startFakeSalvia();
  iam = new IAMClient(salvia.client);
  await iam.send(new CreateUserCommand({ UserName: "ann" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ann" }));
  ann = clientOf(AccessKey);
  const PolicyDocument = statement(["sts:*", "iam:ListUsers", "iam:ListGroups"]);
  await iam.send(new PutUserPolicyCommand({ UserName: "ann", PolicyName: "p", PolicyDocument }));
  for (const [RoleName, condition] of [
    ["open", undefined],
    ["guarded", { StringEquals: { "sts:ExternalId": "secret" } }],
  ] as const) {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trusting(condition) }));
    const inline = statement(["iam:List*", "sts:*"]);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: inline }));
  }
});
afterAll(() => salvia.stop());

const assume = (client: FakeSalvia["client"], RoleArn: string, rest: object = {}) =>
  new STSClient(client).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "work", ...rest }));
const denied = { name: "AccessDenied" };

test("a role is assumed where its trust policy and the caller's policies agree, its external id included", async () => {
  const { Credentials: credentials, AssumedRoleUser } = await assume(ann, roleArn("open"));
  expect(AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${fakeAccount}:assumed-role/open/work`);
  const who = await new STSClient(clientOf(credentials)).send(new GetCallerIdentityCommand({}));
  expect(who).toMatchObject({ Arn: AssumedRoleUser?.Arn, UserId: AssumedRoleUser?.AssumedRoleId });
  await expect(assume(ann, roleArn("guarded"))).rejects.toMatchObject(denied);
  await expect(assume(ann, roleArn("guarded"), { ExternalId: "wrong" })).rejects.toMatchObject(denied);
  await assume(ann, roleArn("guarded"), { ExternalId: "secret" });
  await expect(assume(ann, roleArn("nobody"))).rejects.toMatchObject(denied);
});

test("a session's policy borders it, and so do managed policies", async () => {
  const listing = async (rest: object) => {
    const { Credentials: credentials } = await assume(ann, roleArn("open"), rest);
    const as = new IAMClient(clientOf(credentials));
    const works = (call: Promise<unknown>) =>
      call.then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject(denied);
          return false;
        },
      );
    return [await works(as.send(new ListUsersCommand({}))), await works(as.send(new ListGroupsCommand({})))];
  };
  expect(await listing({})).toEqual([true, true]);
  expect(await listing({ Policy: statement("iam:ListUsers") })).toEqual([true, false]);
  expect(await listing({ PolicyArns: [{ arn: "arn:aws:iam::aws:policy/AmazonS3FullAccess" }] })).toEqual([
    false,
    false,
  ]);
  expect(await listing({ PolicyArns: [{ arn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess" }] })).toEqual([true, true]);
  await expect(assume(ann, roleArn("open"), { Policy: "{" })).rejects.toMatchObject({
    name: "MalformedPolicyDocumentException",
  });
});

test("sessions last as long as they may: an hour where roles are chained", async () => {
  const { Credentials: credentials } = await assume(ann, roleArn("open"), { DurationSeconds: 900 });
  expect(credentials?.Expiration?.getTime()).toBe(Math.floor(salvia.clock.now().getTime() / 1_000 + 900) * 1_000);
  const tooLong = { name: "ValidationError" };
  await expect(assume(ann, roleArn("open"), { DurationSeconds: 3_601 })).rejects.toMatchObject(tooLong);
  const execution = roleArn("SalviaExecutionRole");
  await assume(salvia.client, execution, { DurationSeconds: 43_200 });
  await expect(assume(clientOf(credentials), execution, { DurationSeconds: 7_200 })).rejects.toMatchObject(tooLong);
  await assume(clientOf(credentials), execution, { DurationSeconds: 3_600 });
});

test("a user's own session may what the user may; a federated one only what its policy says besides", async () => {
  const sts = new STSClient(ann);
  const { Credentials: own } = await sts.send(new GetSessionTokenCommand({}));
  await new IAMClient(clientOf(own)).send(new ListUsersCommand({}));
  await expect(new STSClient(clientOf(own)).send(new GetSessionTokenCommand({}))).rejects.toMatchObject(denied);

  const Policy = statement(["iam:ListUsers", "iam:ListRoles"]);
  const { Credentials: federated, FederatedUser } = await sts.send(
    new GetFederationTokenCommand({ Name: "guest", Policy }),
  );
  expect(FederatedUser).toEqual({
    FederatedUserId: `${fakeAccount}:guest`,
    Arn: `arn:aws:sts::${fakeAccount}:federated-user/guest`,
  });
  const guest = new IAMClient(clientOf(federated));
  await guest.send(new ListUsersCommand({}));
  await expect(guest.send(new ListGroupsCommand({}))).rejects.toMatchObject(denied);
  const { Credentials: bare } = await sts.send(new GetFederationTokenCommand({ Name: "guest" }));
  await expect(new IAMClient(clientOf(bare)).send(new ListUsersCommand({}))).rejects.toMatchObject(denied);
});

test("a session's tags are the principal's, and the transitive ones go on into the next session", async () => {
  const RoleName = "tagged";
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trusting() }));
  const Condition = { StringEquals: { "aws:PrincipalTag/team": "red" } };
  const PolicyDocument = statement(["iam:ListUsers", "sts:*"], { Resource: "*", Condition });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
  const list = async (from: FakeSalvia["client"], rest: object) => {
    const { Credentials: credentials } = await assume(from, roleArn(RoleName), rest);
    return new IAMClient(clientOf(credentials)).send(new ListUsersCommand({}));
  };
  await expect(list(ann, {})).rejects.toMatchObject(denied);
  const Tags = [{ Key: "team", Value: "red" }];
  await list(ann, { Tags });
  const { Credentials: plain } = await assume(ann, roleArn("open"), { Tags });
  await expect(list(clientOf(plain), {})).rejects.toMatchObject(denied);
  const { Credentials: going } = await assume(ann, roleArn("open"), { Tags, TransitiveTagKeys: ["team"] });
  await list(clientOf(going), {});
});

test("a key tells its account", async () => {
  const AccessKeyId = ann.credentials.accessKeyId;
  expect((await new STSClient(ann).send(new GetAccessKeyInfoCommand({ AccessKeyId }))).Account).toBe(fakeAccount);
});
