// What a request pays for being signed and decided: the signature of a small API request, and decisions for root, for an
// administrator's session, for a role with twenty statements, and for a role on one object of a channel after another.
import { createModels, type ServiceName } from "../../src/models/index.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { openSqliteStore } from "../../src/database/sqlite/sqlite-store.ts";
import { signHeaders } from "../../src/protocols/sign-v4.fake.ts";
import { amzDate, readSignature, verifySignature } from "../../src/protocols/signature-v4.ts";
import { SigningKeys } from "../../src/protocols/signing-keys.ts";
import { Authoriser, createIam, objectAccess } from "../../src/services/iam/index.ts";
import type { Caller } from "../../src/services/service.ts";
import { median, type BenchRow } from "../table.ts";

const account = "000000000000";
const region = "us-west-2";
const rounds = 5;
const perRound = 20_000;
const goalMicroseconds = 50;

async function microseconds(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const from = performance.now();
    for (let at = 0; at < perRound; at++) await work();
    // The first round warms up.
    if (round > 0) times.push(((performance.now() - from) * 1_000) / perRound);
  }
  return median(times);
}

function signatureCheck(): () => unknown {
  const body = Buffer.from(JSON.stringify({ TrainingJobName: "job" }));
  const accessKeyId = "AKIAEXAMPLE000000000";
  const secretAccessKey = "a-secret-of-forty-characters-000000000000";
  const nowMs = systemClock.now().getTime();
  const signing = { accessKeyId, secretAccessKey, service: "sagemaker", region, at: amzDate(nowMs), body };
  const plain = {
    headers: { "x-amz-target": "SageMaker.DescribeTrainingJob", "content-type": "application/x-amz-json-1.1" },
  };
  const { headers } = signHeaders(plain, signing);
  const request = { method: "POST", rawPath: "/", rawQuery: "", headers };
  const keys = new SigningKeys();
  return () => {
    const claim = readSignature(request);
    if (claim.kind !== "claim") throw new Error("the request is signed");
    const answer = verifySignature({ request, claim, secretAccessKey, keys, nowMs, body });
    if (answer.kind !== "verified") throw new Error("the signature is right");
  };
}

const session = (role: string): Caller => ({
  account,
  arn: `arn:aws:sts::${account}:assumed-role/${role}/bench`,
  userId: "AROA:bench",
  accessKeyId: "ASIA",
});
const root: Caller = { account, arn: `arn:aws:iam::${account}:root`, userId: account, accessKeyId: "AKIA" };

const twenty = JSON.stringify({
  Version: "2012-10-17",
  Statement: Array.from({ length: 20 }, (_, at) => ({
    Effect: "Allow",
    Action: at === 19 ? ["sagemaker:Describe*", "s3:GetObject"] : [`service${at}:*`, `other${at}:Get*`],
    Resource: ["arn:aws:sagemaker:*:*:training-job/*", "arn:aws:s3:::digits/*"],
    Condition: { StringLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/*" } },
  })),
});

async function openAuthoriser() {
  const store = await openSqliteStore({ file: ":memory:", clock: systemClock });
  const parts = { store, clock: systemClock, log: silentLog };
  await createIam({ ...parts, random: systemRandom, accountId: account });
  const bucket = async () => ({ account, policy: undefined, isRestricted: false });
  const authoriser = new Authoriser({ ...parts, canonicalUserId: (of) => of, bucket });
  return { store, authoriser };
}

type Decide = (caller: Caller, service: ServiceName, operation: string, input: object) => () => Promise<unknown>;

function decider(authoriser: Authoriser): Decide {
  const models = createModels();
  const http = { isSecure: false, remoteAddress: "127.0.0.1", headers: {} };
  return (caller, service, name, input) => {
    const operation = models.serviceModel(service).operations.get(name);
    if (!operation) throw new Error(`${service} has no operation ${name}`);
    return () => authoriser.authorise({ caller, region, operation, input, http });
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const { store, authoriser } = await openAuthoriser();
  try {
    const role = await store.read.selectFrom("roles").selectAll().executeTakeFirstOrThrow();
    const twentyRole = { ...role, name: "Twenty", name_key: "twenty", uid: "AROATWENTY00000000000" };
    await store.write(async (tx) => {
      await tx.insertInto("roles").values(twentyRole).execute();
      const inline = { owner_uid: twentyRole.uid, policy_name: "twenty", document: twenty };
      await tx.insertInto("inline_policies").values(inline).execute();
    });
    const decide = decider(authoriser);
    const job = { TrainingJobName: "job" };
    const object = { Bucket: "digits", Key: "train/0" };
    const access = objectAccess("GetObject", "digits", "train/0");
    const roleArn = `arn:aws:iam::${account}:role/SalviaExecutionRole`;
    const works: readonly (readonly [string, () => unknown])[] = [
      ["signature of an API request, verified", signatureCheck()],
      ["decision: root, an API request", decide(root, "sagemaker", "DescribeTrainingJob", job)],
      ["decision: root, an object", decide(root, "s3", "GetObject", object)],
      ["decision: an administrator's session", decide(session(role.name), "sagemaker", "DescribeTrainingJob", job)],
      ["decision: a role with 20 statements", decide(session("Twenty"), "sagemaker", "DescribeTrainingJob", job)],
      ["decision: a job's role, one object", () => authoriser.decideForRole(roleArn, region, access)],
    ];
    const rows: BenchRow[] = [];
    for (const [what, work] of works) {
      const took = await microseconds(work);
      const goal = `< ${goalMicroseconds} µs`;
      rows.push({ what, ours: `${took.toFixed(1)} µs`, peer: "", ratio: "", goal, isMet: took < goalMicroseconds });
    }
    return rows;
  } finally {
    await store.close();
  }
}
