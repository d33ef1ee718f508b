// A real server, killed in the middle of a push.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { signHeaders } from "../../protocols/sign-v4.fake.ts";
import { amzDate } from "../../protocols/signature-v4.ts";
import { processKey, runSalvia } from "../../server-process.fake.ts";

async function callEcr(url: string, operation: string, input: object): Promise<string> {
  const body = JSON.stringify(input);
  const sent = {
    "content-type": "application/x-amz-json-1.1",
    host: new URL(url).host,
    "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${operation}`,
  };
  const signing = { ...processKey, service: "ecr", at: amzDate(systemClock.now().getTime()), body };
  const { host: _, ...headers } = signHeaders({ headers: sent }, signing).headers;
  const answer = await fetch(url, { method: "POST", headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${operation}: ${text}`);
  return text;
}

/** Sends some of what it promises; resolves when the server has gone. */
const beginChunk = (url: string, authorization: string, onSent: () => void): Promise<void> =>
  new Promise((resolve) => {
    const headers = { authorization, "content-length": "50000000" };
    const asked = request(url, { method: "PATCH", headers });
    asked.on("error", () => resolve());
    asked.write(Buffer.alloc(1_000_000), onSent);
  });

test("an upload goes on after kill -9 where its last whole chunk ended, with the login from before", async () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-registry-kill-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const first = runSalvia(["serve", "--port", "0", "--data", folder]);
  const before = await first.ready();
  await callEcr(before, "CreateRepository", { repositoryName: "repo" });
  const token = /"authorizationToken": ?"([^"]+)"/.exec(await callEcr(before, "GetAuthorizationToken", {}))?.[1];
  const authorization = `Basic ${token}`;
  const parts = [randomBytes(100_000), randomBytes(100_000)];
  const begun = await fetch(`${before}/v2/repo/blobs/uploads/`, { method: "POST", headers: { authorization } });
  const location = begun.headers.get("location") ?? "";
  const patch = (url: string, body: Buffer, range: string) =>
    fetch(url + location, {
      method: "PATCH",
      headers: { authorization, "content-range": range },
      body: new Uint8Array(body),
    });
  expect((await patch(before, parts[0] ?? Buffer.alloc(0), "0-99999")).status).toBe(202);
  await new Promise<void>((resolve) => {
    void beginChunk(before + location, authorization, () => void first.kill("SIGKILL")).then(resolve);
  });
  await first.ended;

  const after = await runSalvia(["serve", "--port", "0", "--data", folder]).ready();
  const state = await fetch(after + location, { headers: { authorization } });
  expect([state.status, state.headers.get("range")]).toEqual([204, "0-99999"]);
  expect((await patch(after, parts[1] ?? Buffer.alloc(0), "100000-199999")).status).toBe(202);
  const digest = `sha256:${createHash("sha256").update(Buffer.concat(parts)).digest("hex")}`;
  const end = await fetch(`${after}${location}?digest=${digest}`, { method: "PUT", headers: { authorization } });
  expect(end.status).toBe(201);
  const got = await fetch(`${after}/v2/repo/blobs/${digest}`, { headers: { authorization } });
  expect(Buffer.from(await got.arrayBuffer()).equals(Buffer.concat(parts))).toBe(true);
});
