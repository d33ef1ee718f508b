import { afterAll, beforeAll, expect, test } from "vitest";
import { settingOrMade } from "../../database/settings.ts";
import { silentLog } from "../../lib/log.ts";
import { seededRandom } from "../../lib/random.ts";
import { fakeAccount, fakeRegion } from "../../salvia.fake.ts";
import { Authoriser } from "../iam/index.ts";
import { Tickets } from "./core/tickets.ts";
import { createImages, type ImageRequest, type Images } from "./images.ts";
import { repositoryPolicyOf } from "./core/repositories.ts";
import { explicitName, startFakeRegistry, type FakeRegistry, type PushedImage } from "./registry.fake.ts";

let registry: FakeRegistry;
let images: Images;
let pushed: PushedImage;
let server: string;
let tickets: Tickets;

beforeAll(async () => {
  registry = await startFakeRegistry(["mine"]);
  const { store, clock, url } = registry.salvia;
  pushed = await registry.pushImage("mine", "1", "a layer");
  server = `localhost:${new URL(url).port}`;
  const random = seededRandom(8);
  const key = await settingOrMade(store, "ecr/ticket-key", () => "the server has made one");
  tickets = new Tickets(Buffer.from(key, "base64"), { clock, random });
  const roles = new Authoriser({
    store,
    clock,
    log: silentLog,
    bucket: async () => undefined,
    canonicalUserId: (account) => account,
    repositoryPolicy: (repository) => repositoryPolicyOf(store.read, repository),
  });
  images = createImages({ store, tickets, serverUrl: () => url, roles });
});

afterAll(() => registry.stop());

const request = (image: string, more: Partial<ImageRequest> = {}): ImageRequest => ({
  image,
  account: fakeAccount,
  region: fakeRegion,
  executionRoleArn: `arn:aws:iam::${fakeAccount}:role/SalviaExecutionRole`,
  ...more,
});

test("an image is found by ECR's name, by localhost, and by its digest, and pulled with the credential", async () => {
  const names = [
    `${explicitName(fakeAccount, "mine")}:1`,
    `${server}/mine:1`,
    `${server}/${explicitName(fakeAccount, "mine")}:1`,
    `${explicitName(fakeAccount, "mine")}@${pushed.digest}`,
    `${explicitName(fakeAccount, "mine")}:whatever@${pushed.digest}`,
  ];
  for (const name of names) {
    const found = await images.find(request(name));
    if (found.kind !== "registry") throw new Error(`${name} is ${found.kind}`);
    expect(found.digest).toBe(pushed.digest);
    expect(found.pullName).toBe(`${server}/${explicitName(fakeAccount, "mine")}@${pushed.digest}`);
    const { username, password } = found.credential;
    const authorization = `Basic ${btoa(`${username}:${password}`)}`;
    const path = found.pullName.slice(server.length + 1).replace("@", "/manifests/");
    const answer = await registry.ask("GET", path, { authorization });
    expect([answer.status, await answer.text()]).toEqual([200, pushed.manifest]);
  }
});

test("an image that was not pushed may be the engine's own, under any of its names", async () => {
  const name = `${explicitName(fakeAccount, "built-here")}:2`;
  expect(await images.find(request(name))).toEqual({
    kind: "local",
    localNames: [name, `${server}/${name}`, `${server}/built-here:2`],
    problem: `The image built-here:2 does not exist in the registry with id '${fakeAccount}' in ${fakeRegion}.`,
  });
  expect(await images.find(request(explicitName(fakeAccount, "mine")))).toMatchObject({ kind: "local" });
});

test.each(["ubuntu", "docker.io/library/ubuntu:24.04", "localhost:1/mine:1", "mine:1", "ghcr.io/a/b@sha256:0", ""])(
  "%j is an image of elsewhere",
  async (name) => {
    expect(await images.find(request(name))).toEqual({ kind: "foreign", name });
  },
);

test("a role that may not pull is refused in AWS's words, and so is another account's", async () => {
  await registry.call("iam", "CreateRole", {
    RoleName: "weak",
    AssumeRolePolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "sagemaker.amazonaws.com" }, Action: "sts:AssumeRole" }],
    }),
  });
  const executionRoleArn = `arn:aws:iam::${fakeAccount}:role/weak`;
  const arn = `arn:aws:ecr:${fakeRegion}:${fakeAccount}:repository/mine`;
  const found = await images.find(request(`${explicitName(fakeAccount, "mine")}:1`, { executionRoleArn }));
  if (found.kind !== "denied") throw new Error(`the image is ${found.kind}`);
  expect(found.problem).toContain(`is not authorized to perform: ecr:BatchGetImage on resource: ${arn}`);
});

test("a repository's own policy opens it to another account, for what it allows and no more", async () => {
  const account = "111122223333";
  const caller = { account, arn: `arn:aws:iam::${account}:root`, userId: account, accessKeyId: "AKIAOTHER" };
  const { password } = tickets.sealLogin({ account, region: fakeRegion, caller });
  const authorization = `Basic ${btoa(`AWS:${password}`)}`;
  const path = `${explicitName(fakeAccount, "mine")}/manifests/1`;
  const pull = () => registry.ask("GET", path, { authorization });
  expect((await pull()).status).toBe(403);
  const principal = { AWS: `arn:aws:iam::${account}:root` };
  const statement = { Effect: "Allow", Principal: principal, Action: "ecr:BatchGetImage" };
  const policyText = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await registry.call("ecr", "SetRepositoryPolicy", { repositoryName: "mine", policyText });
  expect((await pull()).status).toBe(200);
  expect((await registry.ask("DELETE", path, { authorization })).status).toBe(403);
  const blob = `${explicitName(fakeAccount, "mine")}/blobs/${pushed.layer}`;
  expect((await registry.ask("GET", blob, { authorization })).status).toBe(403);
  // What it may not pull it cannot mount either: it is told to upload.
  await registry.call("ecr", "DeleteRepositoryPolicy", { repositoryName: "mine" });
  expect((await pull()).status).toBe(403);
});
