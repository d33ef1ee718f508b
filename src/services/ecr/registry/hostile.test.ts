// Requests that nobody should send: the registry says what is wrong, keeps nothing, and never fails.
import { request } from "node:http";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { explicitName, sha256Of, startFakeRegistry, type FakeRegistry } from "../registry.fake.ts";
import { fakeAccount } from "../../../salvia.fake.ts";

let registry: FakeRegistry;
let known: string;

beforeAll(async () => {
  registry = await startFakeRegistry(["one"]);
  known = (await registry.pushImage("one", "latest", "a layer")).layer;
});

afterAll(() => registry.stop());

const word = fc.oneof(
  fc.constantFrom(
    "one",
    "blobs",
    "uploads",
    "manifests",
    "tags",
    "list",
    "referrers",
    "latest",
    "",
    ".",
    "..",
    "%2e%2e",
    "%00",
  ),
  fc.constantFrom("%", "%ff", "%2f", "sha256:", "sha512:00", "_catalog", "__proto__", "constructor", "a".repeat(300)),
  fc.constantFrom(sha256Of("absent"), explicitName(fakeAccount, ""), explicitName("0", "")),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);
const path = fc.array(word, { minLength: 1, maxLength: 7 }).map((words) => `/v2/${words.join("/")}`);
const number = fc.constantFrom("0", "1", "-1", "99999999999999999999", "NaN", "1e3");
const query = fc.oneof(
  fc.constantFrom(
    "",
    "?digest=",
    "?digest=sha256:x",
    "?mount=x&from=..",
    "?n=-1",
    "?last=%ff",
    "?ticket=AAAA",
    "?%ff=%",
  ),
  number.map((n) => `?n=${n}&last=a`),
);
const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
const range = fc.tuple(number, number).map(([from, to]) => `${from}-${to}`);
const body = fc.oneof(fc.constant(""), fc.string({ maxLength: 40 }), fc.json());

test("whatever is asked is answered with less than 500, and in JSON where it is an error", async () => {
  const headers = fc.record({ range: range.map((r) => `bytes=${r}`), "content-range": range }, { requiredKeys: [] });
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, body, async (verb, where, asked, given, sent) => {
      const hasBody = !["GET", "HEAD"].includes(verb);
      // fetch would tidy the path.
      const answer = await raw(verb, where + asked, given, hasBody ? sent : "");
      expect(answer.status, `${verb} ${where}${asked}`).toBeLessThan(500);
      if (answer.status >= 400 && verb !== "HEAD") expect(answer.text).toMatch(/^\{"errors":\[\{"code":"[A-Z_]+"/);
      expect(registry.salvia.errors).toEqual([]);
    }),
    { numRuns: 400 },
  );
  expect((await registry.ask("GET", `one/blobs/${known}`)).status).toBe(200);
});

function raw(
  verb: string,
  path: string,
  given: Readonly<Record<string, string>>,
  sent: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { hostname, port } = new URL(registry.salvia.url);
  const headers = {
    ...given,
    authorization: registry.authorization,
    "content-length": String(Buffer.byteLength(sent)),
  };
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method: verb, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.once("error", reject);
    asked.end(sent);
  });
}

test("a client that leaves in the middle of a chunk leaves nothing but its upload", async () => {
  const begun = await registry.ask("POST", "one/blobs/uploads/");
  const location = begun.headers.get("location") ?? "";
  const { hostname, port } = new URL(registry.salvia.url);
  const headers = { authorization: registry.authorization, "content-length": "1000000" };
  await new Promise<void>((resolve) => {
    const asked = request({ hostname, port, path: location, method: "PATCH", headers });
    asked.on("error", () => resolve());
    asked.write(Buffer.alloc(200_000), () => asked.destroy(new Error("gone")));
  });
  const state = await registry.ask("GET", location);
  expect([state.status, state.headers.get("range")]).toEqual([204, "0-0"]);
  const whole = await registry.ask("PUT", `${location}?digest=${sha256Of("after all")}`, { body: "after all" });
  expect(whole.status).toBe(201);
  expect(registry.salvia.errors).toEqual([]);
});

test("a name that a thousand characters could spell in many ways is refused at once", async () => {
  const startedMs = performance.now();
  for (const name of ["a-".repeat(500), `${"a".repeat(120)}${"-".repeat(120)}!`, "a_".repeat(120), "a/".repeat(127)])
    expect((await raw("GET", `/v2/${name}/tags/list`, {}, "")).status).toBe(400);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});
