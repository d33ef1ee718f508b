import { expect, onTestFinished, test } from "vitest";
import { furnishSalvia } from "../../../furnish.fake.ts";
import { encodeRequest } from "../../../protocols/client.fake.ts";
import { decodeAnswer } from "../../../protocols/decode-answer.fake.ts";
import { signHeaders } from "../../../protocols/sign-v4.fake.ts";
import { fakeAccount, fakeRegion, startFakeSalvia } from "../../../salvia.fake.ts";

const otherRoot = { accessKeyId: "AKIAOTHER00000000000", secretAccessKey: "another-secret-of-forty-characters-00000" };

/** What holds something for any account: its own key and login, AWS's policies, a result per query, and what AWS tells of any key. */
const own: ReadonlySet<string> = new Set([
  "cloudwatch.GetMetricData",
  "ecr.GetAuthorizationToken",
  "iam.ListAccessKeys",
  "iam.ListPolicies",
  "sts.GetAccessKeyInfo",
]);

test("a second account sees nothing of the first, whatever it lists, describes or gets", async () => {
  const salvia = await startFakeSalvia();
  onTestFinished(() => salvia.stop());
  const account = "111111111111";
  const key = { access_key_id: otherRoot.accessKeyId, secret_access_key: otherRoot.secretAccessKey, is_active: 1 };
  const row = { ...key, account, principal_arn: `arn:aws:iam::${account}:root`, user_id: account, created_at: 0 };
  await salvia.store.write((tx) => tx.insertInto("access_keys").values(row).execute());
  const furniture = await furnishSalvia(salvia);
  onTestFinished(() => furniture.close());
  const at = salvia.clock
    .now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "");
  const host = new URL(salvia.url).host;
  const seen: string[] = [];
  let asked = 0;
  let answered = 0;
  for (const service of salvia.models.names) {
    const model = salvia.models.serviceModel(service);
    for (const [name, operation] of model.operations) {
      const recipe = furniture.recipe(operation);
      const [spoken] = model.protocols;
      if (!/^(?:List|Describe|Get|Head|Search|Filter)/.test(name) || !salvia.handles(operation) || !spoken) continue;
      const { method, rawPath, rawQuery, headers, body } = encodeRequest(operation, spoken, recipe ?? {});
      // The encoder's own is not what is sent, and must not be signed.
      const { authorization: _, ...unsigned } = headers;
      const request = { method, rawPath, rawQuery, headers: { ...unsigned, host } };
      const signed = signHeaders(request, { ...otherRoot, service: model.signingName, region: fakeRegion, at, body });
      const { host: __, ...sent } = signed.headers;
      const path = rawQuery === "" ? rawPath : `${rawPath}?${rawQuery}`;
      const answer = await fetch(salvia.url + path, { method, headers: sent, ...(body.length > 0 ? { body } : {}) });
      asked += 1;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const isForged = /InvalidSignature|SignatureDoesNotMatch/.test(Buffer.from(bytes).toString());
      if (isForged) throw new Error(`${service}.${name} did not take the second account's signature`);
      if (!answer.ok) continue;
      answered += 1;
      const problem = whatIsSeen(`${service}.${name}`, decodeAnswer(operation, spoken, { body: bytes }));
      if (problem !== undefined) seen.push(problem);
    }
  }
  expect(asked).toBeGreaterThan(50);
  expect(answered).toBeGreaterThan(20);
  expect(seen).toEqual([]);
}, 30_000);

/** A list that is not empty; what a new account has from the start is no secret of another. */
const holdsSomething = (output: unknown): boolean =>
  Object.values(output as object).some((value) => Array.isArray(value) && value.length > 0);

function whatIsSeen(name: string, output: unknown): string | undefined {
  if (own.has(name)) return undefined;
  const text = JSON.stringify(output);
  if (text.includes(fakeAccount)) return `${name}: ${text}`;
  return holdsSomething(output) ? `${name} answers with something: ${text}` : undefined;
}
