// What the OCI distribution spec 1.1 asks of a registry, and what hostile clients try, request by request against a whole server.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeAccount, fakeRegion } from "../../../salvia.fake.ts";
import {
  codeOf,
  explicitName,
  imageType,
  indexType,
  loginFor,
  manifestOf,
  sha256Of,
  sha512Of,
  startFakeRegistry,
  type FakeRegistry,
} from "../registry.fake.ts";
import { absent, refusals } from "./refusals.fake.ts";

let registry: FakeRegistry;

beforeAll(async () => {
  registry = await startFakeRegistry(["one", "two", "team/app"]);
});

afterAll(() => registry.stop());

const begin = async (repository = "one"): Promise<string> => {
  const answer = await registry.ask("POST", `${repository}/blobs/uploads/`);
  expect(answer.status).toBe(202);
  return answer.headers.get("location") ?? "";
};
const binary = { "content-type": "application/octet-stream" };
const chunk = (range: string) => ({ ...binary, "content-range": range });
const manifestHeaders = { "content-type": imageType };

describe("the registry refuses", () => {
  test.each(refusals)("$what", async ({ method, path, options, status, code }) => {
    const answer = await registry.ask(method, path, options);
    expect(answer.status).toBe(status);
    if (code !== undefined) expect(await codeOf(answer)).toBe(code);
    expect(registry.salvia.errors).toEqual([]);
  });
});

test("the base path asks for a login as docker understands it, and takes it", async () => {
  const stranger = await registry.ask("GET", "/v2/", { authorization: null });
  expect(stranger.headers.get("www-authenticate")).toMatch(/^Basic realm="http:\/\/127\.0\.0\.1:\d+\/"/);
  expect(stranger.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
  expect((await registry.ask("GET", "/v2/")).status).toBe(200);
});

describe("a blob", () => {
  test("comes in one piece, and is read back whole, in part, and by its head", async () => {
    const digest = await registry.pushBlob("one", "0123456789");
    const whole = await registry.ask("GET", `one/blobs/${digest}`);
    expect([whole.status, await whole.text()]).toEqual([200, "0123456789"]);
    expect(whole.headers.get("docker-content-digest")).toBe(digest);
    const head = await registry.ask("HEAD", `one/blobs/${digest}`);
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "10"]);
    const part = await registry.ask("GET", `one/blobs/${digest}`, { headers: { range: "bytes=2-4" } });
    expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([206, "234", "bytes 2-4/10"]);
    const tail = await registry.ask("GET", `one/blobs/${digest}`, { headers: { range: "bytes=-3" } });
    expect(await tail.text()).toBe("789");
    const beyond = await registry.ask("GET", `one/blobs/${digest}`, { headers: { range: "bytes=10-" } });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  });

  test("comes in a POST and a PUT", async () => {
    const digest = sha256Of("post then put");
    const location = await begin();
    const answer = await registry.ask("PUT", `${location}?digest=${encodeURIComponent(digest)}`, {
      body: "post then put",
      headers: binary,
    });
    expect([answer.status, answer.headers.get("location")]).toEqual([201, `/v2/one/blobs/${digest}`]);
    expect(await (await registry.ask("GET", answer.headers.get("location") ?? "")).text()).toBe("post then put");
  });

  test("comes in chunks, which have to follow one another", async () => {
    const location = await begin();
    const first = await registry.ask("PATCH", location, { body: "first ", headers: chunk("0-5") });
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-5"]);
    const gap = await registry.ask("PATCH", location, { body: "later", headers: chunk("7-11") });
    expect([gap.status, gap.headers.get("range")]).toEqual([416, "0-5"]);
    const again = await registry.ask("PATCH", location, { body: "first ", headers: chunk("0-5") });
    expect(again.status).toBe(416);
    const odd = await registry.ask("PATCH", location, { body: "xy", headers: chunk("6-99") });
    expect([odd.status, await codeOf(odd)]).toEqual([416, "SIZE_INVALID"]);
    const state = await registry.ask("GET", location);
    expect([state.status, state.headers.get("range")]).toEqual([204, "0-5"]);
    expect((await registry.ask("PATCH", location, { body: "second", headers: binary })).status).toBe(202);
    const digest = sha256Of("first second third");
    const end = await registry.ask("PUT", `${location}?digest=${digest}`, { body: " third", headers: chunk("12-17") });
    expect(end.status).toBe(201);
    expect(await (await registry.ask("GET", `one/blobs/${digest}`)).text()).toBe("first second third");
    expect((await registry.ask("GET", location)).status).toBe(404);
  });

  test("whose bytes are others stays out, and the upload can still be ended rightly", async () => {
    const location = await begin();
    await registry.ask("PATCH", location, { body: "right", headers: binary });
    const wrong = await registry.ask("PUT", `${location}?digest=${absent}`);
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await registry.ask("HEAD", `one/blobs/${absent}`)).status).toBe(404);
    expect((await registry.ask("PUT", `${location}?digest=${sha256Of("right")}`)).status).toBe(201);
  });

  test("may be named by sha512, in one piece or in chunks", async () => {
    const digest = sha512Of("by sha512");
    const location = await begin();
    await registry.ask("PATCH", location, { body: "by ", headers: binary });
    await registry.ask("PATCH", location, { body: "sha512", headers: binary });
    expect((await registry.ask("PUT", `${location}?digest=${digest}`)).status).toBe(201);
    expect(await (await registry.ask("GET", `one/blobs/${digest}`)).text()).toBe("by sha512");
  });

  test("may be empty", async () => {
    const digest = await registry.pushBlob("one", "");
    const answer = await registry.ask("GET", `one/blobs/${digest}`);
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });

  test("is given up by DELETE of its upload", async () => {
    const location = await begin();
    expect((await registry.ask("DELETE", location)).status).toBe(204);
    expect((await registry.ask("GET", location)).status).toBe(404);
  });

  test("of one repository is not shown in another, until it is mounted there", async () => {
    const digest = await registry.pushBlob("one", "only in one");
    expect((await registry.ask("HEAD", `two/blobs/${digest}`)).status).toBe(404);
    const mount = await registry.ask("POST", `two/blobs/uploads/?mount=${digest}&from=one`);
    expect([mount.status, mount.headers.get("location")]).toEqual([201, `/v2/two/blobs/${digest}`]);
    expect(await (await registry.ask("GET", `two/blobs/${digest}`)).text()).toBe("only in one");
    const { rows } = await blobsOf(digest);
    expect(rows).toBe(1);
  });

  test.each(["from=absent", "from=two%2f..", ""])("that cannot be mounted (%s) begins an upload", async (from) => {
    const answer = await registry.ask("POST", `one/blobs/uploads/?mount=${absent}&${from}`);
    expect(answer.status).toBe(202);
    expect(answer.headers.get("location")).toMatch(/^\/v2\/one\/blobs\/uploads\/.+/);
  });

  test("that an image needs is not deleted, any other is", async () => {
    const { layer } = await registry.pushImage("one", "needs", "a needed layer");
    const refused = await registry.ask("DELETE", `one/blobs/${layer}`);
    expect([refused.status, await codeOf(refused)]).toEqual([405, "UNSUPPORTED"]);
    const digest = await registry.pushBlob("one", "loose");
    expect((await registry.ask("DELETE", `one/blobs/${digest}`)).status).toBe(202);
    expect((await registry.ask("HEAD", `one/blobs/${digest}`)).status).toBe(404);
  });
});

const blobsOf = async (digest: string): Promise<{ readonly rows: number }> => ({
  rows: (
    await registry.salvia.store.read.selectFrom("ecr_layers").select("digest").where("digest", "=", digest).execute()
  ).length,
});

describe("a manifest", () => {
  test("is there by its tag and by its digest, byte for byte", async () => {
    const { digest, manifest } = await registry.pushImage("team/app", "v1", "layer of v1");
    for (const reference of ["v1", digest, encodeURIComponent(digest)]) {
      const answer = await registry.ask("GET", `team/app/manifests/${reference}`);
      expect([answer.status, await answer.text()]).toEqual([200, manifest]);
      expect(answer.headers.get("content-type")).toBe(imageType);
      expect(answer.headers.get("docker-content-digest")).toBe(digest);
      const head = await registry.ask("HEAD", `team/app/manifests/${reference}`);
      expect([head.status, head.headers.get("content-length")]).toEqual([200, String(manifest.length)]);
    }
  });

  test("may be pushed by its digest, and not by another", async () => {
    const { digest, manifest } = await registry.pushImage("one", "by-tag", "pushed by digest");
    const options = { body: manifest, headers: manifestHeaders };
    expect((await registry.ask("PUT", `two/manifests/${digest}`, options)).status).toBe(404);
    expect((await registry.ask("PUT", `one/manifests/${digest}`, options)).status).toBe(201);
    const bySha512 = await registry.ask("PUT", `one/manifests/${sha512Of(manifest)}`, options);
    expect([bySha512.status, bySha512.headers.get("docker-content-digest")]).toEqual([201, sha512Of(manifest)]);
    const wrong = await registry.ask("PUT", `one/manifests/${absent}`, options);
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, "DIGEST_INVALID"]);
  });

  test("goes with its tags when it is deleted by digest; by tag only the tag goes", async () => {
    const { digest } = await registry.pushImage("one", "first-name", "two names");
    await registry.pushImage("one", "second-name", "two names");
    expect((await registry.ask("DELETE", "one/manifests/first-name")).status).toBe(202);
    expect((await registry.ask("DELETE", "one/manifests/first-name")).status).toBe(404);
    expect((await registry.ask("GET", "one/manifests/second-name")).status).toBe(200);
    expect((await registry.ask("DELETE", `one/manifests/${digest}`)).status).toBe(202);
    expect((await registry.ask("GET", "one/manifests/second-name")).status).toBe(404);
    expect((await registry.ask("GET", `one/manifests/${digest}`)).status).toBe(404);
  });

  test("of an index keeps its images from being deleted", async () => {
    const one = await registry.pushImage("two", "amd64", "for amd64");
    const manifests = [
      {
        mediaType: imageType,
        digest: one.digest,
        size: one.manifest.length,
        platform: { os: "linux", architecture: "amd64" },
      },
    ];
    const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
    const put = await registry.ask("PUT", "two/manifests/both", {
      body: index,
      headers: { "content-type": indexType },
    });
    expect(put.status).toBe(201);
    const got = await registry.ask("GET", "two/manifests/both");
    expect([got.headers.get("content-type"), await got.text()]).toEqual([indexType, index]);
    expect((await registry.ask("DELETE", `two/manifests/${one.digest}`)).status).toBe(405);
    expect((await registry.ask("DELETE", `two/manifests/${sha256Of(index)}`)).status).toBe(202);
    expect((await registry.ask("DELETE", `two/manifests/${one.digest}`)).status).toBe(202);
  });

  test("that refers to another is among its referrers, also before the other comes", async () => {
    const subject = { mediaType: imageType, digest: absent, size: 12 };
    const more = { subject, artifactType: "application/x.signature", annotations: { by: "tests" } };
    const config = await registry.pushBlob("team/app", "{}");
    const body = manifestOf(config, [], more);
    const put = await registry.ask("PUT", `team/app/manifests/${sha256Of(body)}`, { body, headers: manifestHeaders });
    expect([put.status, put.headers.get("oci-subject")]).toEqual([201, absent]);
    const answer = await registry.ask("GET", `team/app/referrers/${absent}`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, indexType]);
    const descriptor = { mediaType: imageType, digest: sha256Of(body), size: body.length };
    expect(await answer.json()).toEqual({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [{ ...descriptor, artifactType: "application/x.signature", annotations: { by: "tests" } }],
    });
    const filtered = await registry.ask("GET", `team/app/referrers/${absent}?artifactType=application/x.sbom`);
    expect(filtered.headers.get("oci-filters-applied")).toBe("artifactType");
    expect(await filtered.json()).toMatchObject({ manifests: [] });
    expect(await (await registry.ask("GET", `team/app/referrers/${sha256Of("none")}`)).json()).toMatchObject({
      manifests: [],
    });
  });
});

test("tags come in their order, page by page", async () => {
  await registry.call("ecr", "CreateRepository", { repositoryName: "paged" });
  const { manifest } = await registry.pushImage("paged", "b", "tagged often");
  for (const tag of ["a", "c", "A", "d"])
    await registry.ask("PUT", `paged/manifests/${tag}`, { body: manifest, headers: manifestHeaders });
  const all = await registry.ask("GET", "paged/tags/list");
  expect(await all.json()).toEqual({ name: "paged", tags: ["A", "a", "b", "c", "d"] });
  expect(all.headers.get("link")).toBeNull();
  const seen: string[] = [];
  let next: string | undefined = "/v2/paged/tags/list?n=2";
  while (next !== undefined) {
    const page = await registry.ask("GET", next);
    seen.push(...((await page.json()) as { readonly tags: readonly string[] }).tags);
    next = /^<(.+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
  }
  expect(seen).toEqual(["A", "a", "b", "c", "d"]);
  expect(await (await registry.ask("GET", "paged/tags/list?n=0")).json()).toEqual({ name: "paged", tags: [] });
  expect(await (await registry.ask("GET", "paged/tags/list?n=5&last=c")).json()).toEqual({
    name: "paged",
    tags: ["d"],
  });
});

test("a tag of an immutable repository stays with its image", async () => {
  await registry.call("ecr", "CreateRepository", { repositoryName: "fixed", imageTagMutability: "IMMUTABLE" });
  const { manifest } = await registry.pushImage("fixed", "v1", "the first");
  expect((await registry.ask("PUT", "fixed/manifests/v1", { body: manifest, headers: manifestHeaders })).status).toBe(
    201,
  );
  const config = await registry.pushBlob("fixed", "{}");
  const layer = await registry.pushBlob("fixed", "the second");
  const other = manifestOf(config, [{ digest: layer, size: 10 }]);
  const answer = await registry.ask("PUT", "fixed/manifests/v1", { body: other, headers: manifestHeaders });
  expect([answer.status, await codeOf(answer)]).toEqual([400, "TAG_INVALID"]);
  expect((await registry.ask("PUT", "fixed/manifests/v2", { body: other, headers: manifestHeaders })).status).toBe(201);
});

test("a path that begins with ECR's host name means the same repository", async () => {
  const { manifest } = await registry.pushImage("one", "long-name", "by its long name");
  const answer = await registry.ask("GET", `${explicitName(fakeAccount, "one")}/manifests/long-name`);
  expect([answer.status, await answer.text()]).toEqual([200, manifest]);
  const elsewhere = explicitName(fakeAccount, "one").replace(fakeRegion, "eu-west-1");
  expect(await codeOf(await registry.ask("GET", `${elsewhere}/manifests/long-name`))).toBe("NAME_UNKNOWN");
});

test("another account's repository is closed, whether it is there or not", async () => {
  for (const name of ["one", "absent"]) {
    const answer = await registry.ask("GET", `${explicitName("111122223333", name)}/manifests/latest`);
    expect([answer.status, await codeOf(answer)]).toEqual([403, "DENIED"]);
  }
});

test("a login ends after twelve hours", async () => {
  const { salvia } = registry;
  const old = await loginFor(salvia);
  await salvia.clock.advance(12 * 3_600_000 - 2_000);
  expect((await registry.ask("GET", "/v2/", { authorization: old })).status).toBe(200);
  await salvia.clock.advance(4_000);
  const answer = await registry.ask("GET", "/v2/", { authorization: old });
  expect([answer.status, await codeOf(answer)]).toEqual([401, "UNAUTHORIZED"]);
});
