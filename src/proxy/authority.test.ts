import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { openAuthority } from "./authority.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-authority-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a client says of the host's certificate; undefined when it trusts it. */
async function verdict(folder: string, host: string): Promise<string | undefined> {
  const authority = openAuthority(folder, systemClock, systemRandom);
  const server = createServer({ SNICallback: (_name, done) => done(null, authority.contextFor(host)) });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername: host, ca: authority.certificate });
    socket.on("secureConnect", () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.on("error", (error: Error) => resolve(error.message));
  });
}

test("the authority is made once, and only its user may read it", () => {
  const folder = newFolder();
  const first = openAuthority(folder, systemClock, systemRandom);
  const second = openAuthority(folder, systemClock, systemRandom);
  expect(second.certificate).toBe(first.certificate);
  expect(readdirSync(folder)).toEqual(["authority.pem"]);
  expect(statSync(join(folder, "authority.pem")).mode & 0o777).toBe(0o600);
  expect(new X509Certificate(first.certificate).ca).toBe(true);
});

test.each([
  "s3.amazonaws.com",
  `${"b".repeat(63)}.s3.eu-central-1.amazonaws.com`,
  "sts.cn-north-1.amazonaws.com.cn",
  "x.api.aws",
])("clients trust it for %s", async (host) => {
  expect(await verdict(newFolder(), host)).toBeUndefined();
});

test.each(["example.com", "notamazonaws.com", "amazonaws.com.example", "localhost"])(
  "clients refuse what it signs for %s",
  async (host) => {
    expect(await verdict(newFolder(), host)).toContain("permitted subtree violation");
  },
);

test("an authority about to end is replaced", () => {
  const folder = newFolder();
  const before = openAuthority(folder, systemClock, systemRandom);
  const inNineYears = { ...systemClock, now: () => new Date(systemClock.now().getTime() + 9 * 365 * 86_400_000) };
  expect(openAuthority(folder, inNineYears, systemRandom).certificate).not.toBe(before.certificate);
});

test("a damaged file is an error and stays", () => {
  const folder = newFolder();
  const path = join(folder, "authority.pem");
  writeFileSync(path, "nothing");
  chmodSync(path, 0o600);
  expect(() => openAuthority(folder, systemClock, systemRandom)).toThrow("damaged");
});
