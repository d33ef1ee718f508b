import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { openIdentity } from "../salvia.ts";
import { account } from "./account.ts";

test("another account is made beside a server that runs, with root keys and an execution role of its own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-account-"));
  try {
    expect(await account(["create", "research", "--data", folder, "--trust-jobs"])).toBe(1);
    // What a server has open.
    const { identity, close } = await openIdentity(readConfig(["--data", folder], {})).then((opened) => ({
      identity: opened.identity,
      close: () => opened.close(),
    }));
    expect(await account(["create", "research", "--data", folder, "--trust-jobs"])).toBe(0);
    const [made] = await identity.accounts();
    expect(made).toMatchObject({ name: "research" });
    const id = made?.id ?? "";
    expect(id).toMatch(/^\d{12}$/);
    const { accessKeyId } = await identity.rootCredentials(id);
    expect(await identity.resolve(accessKeyId)).toMatchObject({
      caller: { account: id, arn: `arn:aws:iam::${id}:root` },
    });
    expect(await identity.roleExists(`arn:aws:iam::${id}:role/SalviaExecutionRole`)).toBe(true);
    await close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is no account command is answered with the usage", async () => {
  expect(await account([])).toBe(2);
  expect(await account(["create"])).toBe(2);
  expect(await account(["remove", "x"])).toBe(2);
});
