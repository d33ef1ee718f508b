// Requests that a registry must refuse, with the status and code of the spec: malformed, hostile, or about what is not there.
import { imageType, indexType, manifestOf, sha256Of, type AskOptions } from "../registry.fake.ts";

export const absent = sha256Of("never pushed");
const binary = { "content-type": "application/octet-stream" };
const manifestHeaders = { "content-type": imageType };

export interface Refusal {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly options?: AskOptions;
  readonly status: number;
  readonly code?: string;
}

export const refusals: readonly Refusal[] = [
  {
    what: "a request without a login",
    method: "GET",
    path: "/v2/",
    options: { authorization: null },
    status: 401,
    code: "UNAUTHORIZED",
  },
  {
    what: "a password that nobody sealed",
    method: "GET",
    path: "/v2/",
    options: { authorization: `Basic ${btoa("AWS:guess")}` },
    status: 401,
    code: "UNAUTHORIZED",
  },
  {
    what: "another user name",
    method: "GET",
    path: "/v2/",
    options: { authorization: `Basic ${btoa("root:guess")}` },
    status: 401,
    code: "UNAUTHORIZED",
  },
  {
    what: "a bearer token",
    method: "GET",
    path: "/v2/",
    options: { authorization: "Bearer guess" },
    status: 401,
    code: "UNAUTHORIZED",
  },
  {
    what: "a repository that is not there",
    method: "GET",
    path: "nowhere/manifests/latest",
    status: 404,
    code: "NAME_UNKNOWN",
  },
  {
    what: "an upload to a repository that is not there",
    method: "POST",
    path: "nowhere/blobs/uploads/",
    status: 404,
    code: "NAME_UNKNOWN",
  },
  { what: "a name in capitals", method: "GET", path: "ONE/manifests/latest", status: 400, code: "NAME_INVALID" },
  {
    what: "a name that climbs",
    method: "GET",
    path: "one%2f..%2f..%2fetc/manifests/latest",
    status: 400,
    code: "NAME_INVALID",
  },
  {
    what: "a name that is too long",
    method: "GET",
    path: `${"a".repeat(300)}/tags/list`,
    status: 400,
    code: "NAME_INVALID",
  },
  {
    what: "a name with an empty part",
    method: "GET",
    path: "one%2f%2ftwo/tags/list",
    status: 400,
    code: "NAME_INVALID",
  },
  { what: "percent signs that encode nothing", method: "GET", path: "one%zz/tags/list", status: 404 },
  { what: "a path of nothing", method: "GET", path: "one/nothing", status: 404 },
  {
    what: "a manifest that is not there",
    method: "GET",
    path: "one/manifests/absent",
    status: 404,
    code: "MANIFEST_UNKNOWN",
  },
  {
    what: "a manifest by a digest that is not there",
    method: "GET",
    path: `one/manifests/${absent}`,
    status: 404,
    code: "MANIFEST_UNKNOWN",
  },
  {
    what: "a tag with a slash's code",
    method: "GET",
    path: "one/manifests/.hidden",
    status: 404,
    code: "MANIFEST_UNKNOWN",
  },
  {
    what: "a manifest by a short digest",
    method: "GET",
    path: "one/manifests/sha256:abc",
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    what: "a digest in capitals",
    method: "GET",
    path: `one/blobs/${absent.toUpperCase()}`,
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    what: "a digest of another algorithm",
    method: "GET",
    path: `one/blobs/md5:${"0".repeat(32)}`,
    status: 400,
    code: "DIGEST_INVALID",
  },
  { what: "a blob that is not there", method: "GET", path: `one/blobs/${absent}`, status: 404, code: "BLOB_UNKNOWN" },
  {
    what: "a blob that is to be deleted and is not there",
    method: "DELETE",
    path: `one/blobs/${absent}`,
    status: 404,
    code: "BLOB_UNKNOWN",
  },
  {
    what: "an upload that is not there",
    method: "PATCH",
    path: "one/blobs/uploads/absent",
    options: { body: "x", headers: binary },
    status: 404,
    code: "BLOB_UPLOAD_UNKNOWN",
  },
  {
    what: "the state of an upload that is not there",
    method: "GET",
    path: "one/blobs/uploads/absent",
    status: 404,
    code: "BLOB_UPLOAD_UNKNOWN",
  },
  {
    what: "the end of an upload that is not there",
    method: "PUT",
    path: `one/blobs/uploads/absent?digest=${absent}`,
    status: 404,
    code: "BLOB_UPLOAD_UNKNOWN",
  },
  {
    what: "a blob in one piece with another digest",
    method: "POST",
    path: `one/blobs/uploads/?digest=${absent}`,
    options: { body: "something else", headers: binary },
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    what: "a blob with a digest that is none",
    method: "POST",
    path: "one/blobs/uploads/?digest=sha256:0",
    options: { body: "x", headers: binary },
    status: 400,
    code: "DIGEST_INVALID",
  },
  {
    what: "a manifest that is no JSON",
    method: "PUT",
    path: "one/manifests/broken",
    options: { body: "{", headers: manifestHeaders },
    status: 400,
    code: "MANIFEST_INVALID",
  },
  {
    what: "a manifest that is a list",
    method: "PUT",
    path: "one/manifests/broken",
    options: { body: "[]", headers: manifestHeaders },
    status: 400,
    code: "MANIFEST_INVALID",
  },
  {
    what: "a manifest of Docker's first schema",
    method: "PUT",
    path: "one/manifests/broken",
    options: { body: '{"schemaVersion":1}', headers: manifestHeaders },
    status: 400,
    code: "MANIFEST_INVALID",
  },
  {
    what: "a manifest of an unknown type",
    method: "PUT",
    path: "one/manifests/broken",
    options: { body: '{"schemaVersion":2,"mediaType":"text/html"}' },
    status: 400,
    code: "MANIFEST_INVALID",
  },
  {
    what: "a manifest whose layer has no size",
    method: "PUT",
    path: "one/manifests/broken",
    options: {
      body: `{"schemaVersion":2,"config":{"digest":"${absent}","size":-1},"layers":[]}`,
      headers: manifestHeaders,
    },
    status: 400,
    code: "MANIFEST_INVALID",
  },
  {
    what: "a manifest whose layers are not there",
    method: "PUT",
    path: "one/manifests/broken",
    options: { body: manifestOf(absent, []), headers: manifestHeaders },
    status: 404,
    code: "MANIFEST_BLOB_UNKNOWN",
  },
  {
    what: "an index whose images are not there",
    method: "PUT",
    path: "one/manifests/broken",
    options: {
      body: JSON.stringify({
        schemaVersion: 2,
        mediaType: indexType,
        manifests: [{ mediaType: imageType, digest: absent, size: 2 }],
      }),
      headers: { "content-type": indexType },
    },
    status: 404,
    code: "MANIFEST_BLOB_UNKNOWN",
  },
  {
    what: "a manifest of more than four megabytes",
    method: "PUT",
    path: "one/manifests/huge",
    options: { body: " ".repeat(4 * 1_024 * 1_024 + 1), headers: manifestHeaders },
    status: 413,
    code: "SIZE_INVALID",
  },
  {
    what: "a page of no number",
    method: "GET",
    path: "one/tags/list?n=many",
    status: 400,
    code: "PAGINATION_NUMBER_INVALID",
  },
  { what: "a method that tags do not have", method: "DELETE", path: "one/tags/list", status: 405, code: "UNSUPPORTED" },
  { what: "a referrer of no digest", method: "GET", path: "one/referrers/latest", status: 400, code: "DIGEST_INVALID" },
];
