import { expect, test } from "vitest";
import { openTestStore } from "../../database/store.fake.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { seededRandom } from "../../lib/random.ts";
import { createIam, UnknownRoleError, type AccessKey } from "./index.ts";

const account = "000000000000";
const roleArn = `arn:aws:iam::${account}:role/SalviaExecutionRole`;

async function setup(rootKey?: AccessKey) {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  const start = async (key = rootKey) =>
    (await createIam({ store, clock, random: seededRandom(7), log: silentLog, accountId: account, rootKey: key }))
      .identity;
  return { clock, store, start, identity: await start() };
}

test("root credentials are made once and found again after a restart", async () => {
  const { identity, start } = await setup();
  const key = await identity.rootCredentials(account);
  expect(key).toEqual(await (await start()).rootCredentials(account));
  expect(key.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(await identity.resolve(key.accessKeyId)).toEqual({
    secretAccessKey: key.secretAccessKey,
    caller: { account, arn: `arn:aws:iam::${account}:root`, userId: account, accessKeyId: key.accessKeyId },
  });
});

test("root credentials of the settings replace the stored ones", async () => {
  const { identity, start } = await setup();
  const made = await identity.rootCredentials(account);
  const given = { accessKeyId: "AKIAGIVEN00000000000", secretAccessKey: "given" };
  const again = await start(given);
  expect(await again.rootCredentials(account)).toEqual(given);
  expect(await again.resolve(given.accessKeyId)).toMatchObject({ secretAccessKey: "given" });
  expect(await again.resolve(made.accessKeyId)).toEqual({ problem: "unknown-key" });
});

test("every account has root credentials of its own and SalviaExecutionRole", async () => {
  const { identity } = await setup();
  await identity.ensureAccount("111111111111");
  await identity.ensureAccount("111111111111");
  expect(await identity.roleExists("arn:aws:iam::111111111111:role/SalviaExecutionRole")).toBe(true);
  expect(await identity.roleExists("arn:aws:iam::222222222222:role/SalviaExecutionRole")).toBe(false);
  const [mine, theirs] = [await identity.rootCredentials(account), await identity.rootCredentials("111111111111")];
  expect(mine.accessKeyId).not.toBe(theirs.accessKeyId);
  expect(await identity.resolve(theirs.accessKeyId)).toMatchObject({ caller: { account: "111111111111" } });
});

test("a session of a role resolves, also after a restart, until it expires", async () => {
  const { identity, clock, start } = await setup();
  const session = await identity.sessionFor(roleArn, "job-1", 900);
  expect(session.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  expect(session.arn).toBe(`arn:aws:sts::${account}:assumed-role/SalviaExecutionRole/job-1`);
  const { accessKeyId, sessionToken, secretAccessKey } = session;
  for (const each of [identity, await start()]) {
    expect(await each.resolve(accessKeyId, sessionToken)).toEqual({
      secretAccessKey,
      caller: { account, arn: session.arn, userId: session.userId, accessKeyId },
    });
  }
  await clock.advance(899_999);
  expect(await identity.resolve(accessKeyId, sessionToken)).toMatchObject({ secretAccessKey });
  await clock.advance(1);
  expect(await identity.resolve(accessKeyId, sessionToken)).toEqual({ problem: "expired-token" });
});

test("a token without its key, changed, or of another installation is refused", async () => {
  const { identity } = await setup();
  const one = await identity.sessionFor(roleArn, "one", 900);
  const two = await identity.sessionFor(roleArn, "two", 900);
  const other = await openTestStore({ clock: new FakeClock() });
  const options = { store: other, clock: new FakeClock(), random: seededRandom(8), log: silentLog, accountId: account };
  const foreign = await (await createIam(options)).identity.sessionFor(roleArn, "one", 900);
  const bad = { problem: "bad-token" };
  expect(await identity.resolve(one.accessKeyId)).toEqual(bad);
  expect(await identity.resolve(one.accessKeyId, two.sessionToken)).toEqual(bad);
  expect(await identity.resolve(one.accessKeyId, "")).toEqual(bad);
  expect(await identity.resolve(one.accessKeyId, "not a token")).toEqual(bad);
  const bytes = Buffer.from(one.sessionToken, "base64");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(await identity.resolve(one.accessKeyId, changed.toString("base64"))).toEqual(bad);
  }
  expect(await identity.resolve(foreign.accessKeyId, foreign.sessionToken)).toEqual(bad);
  const root = await identity.rootCredentials(account);
  expect(await identity.resolve(root.accessKeyId, one.sessionToken)).toEqual(bad);
});

test("an answer from memory is never given for another token", async () => {
  const { identity } = await setup();
  const { accessKeyId, sessionToken } = await identity.sessionFor(roleArn, "one", 900);
  expect(await identity.resolve(accessKeyId, sessionToken)).toHaveProperty("caller");
  expect(await identity.resolve(accessKeyId, `${sessionToken.slice(0, -4)}AAAA`)).toEqual({ problem: "bad-token" });
  expect(await identity.resolve(accessKeyId)).toEqual({ problem: "bad-token" });
});

test("a session of a role that is not there is not made", async () => {
  const { identity } = await setup();
  const arn = `arn:aws:iam::${account}:role/Nobody`;
  await expect(identity.sessionFor(arn, "one", 900)).rejects.toThrow(UnknownRoleError);
  expect(await identity.roleExists(`arn:aws:iam::${account}:role/path/SalviaExecutionRole`)).toBe(false);
  expect(await identity.roleExists("SalviaExecutionRole")).toBe(false);
});

test("an unknown key is unknown, and is looked for again when asked again", async () => {
  const { identity, store } = await setup();
  expect(await identity.resolve("AKIALATER00000000000")).toEqual({ problem: "unknown-key" });
  const row = { account, principal_arn: `arn:aws:iam::${account}:user/ann`, user_id: "AIDA", is_active: 1 };
  await store.write((tx) =>
    tx
      .insertInto("access_keys")
      .values({ ...row, access_key_id: "AKIALATER00000000000", secret_access_key: "s", created_at: 0 })
      .execute(),
  );
  expect(await identity.resolve("AKIALATER00000000000")).toMatchObject({ caller: { arn: row.principal_arn } });
});
