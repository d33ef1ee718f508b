import { expect, test } from "vitest";
import { bypass, outward, parseAuthority, ParentProxyError } from "./outward.ts";

test.each([
  ["example.com", "example.com", 443, true],
  ["example.com", "www.example.com", 443, true],
  [".example.com", "www.example.com", 443, true],
  ["*.example.com", "www.example.com", 443, true],
  ["example.com", "badexample.com", 443, false],
  ["a.b, example.com:8443", "example.com", 8443, true],
  ["example.com:8443", "example.com", 443, false],
  ["10.0.0.0/8", "10.1.2.3", 80, true],
  ["10.0.0.0/8", "11.1.2.3", 80, false],
  ["fd00::/8", "fd12::1", 80, true],
  ["fe80::1", "fe80::1", 80, true],
  ["*", "anything", 1, true],
  ["", "127.0.0.1", 80, true],
  ["", "sub.localhost", 80, true],
  [undefined, "example.com", 443, false],
])("NO_PROXY=%s and %s:%i", (noProxy, host, port, expected) => {
  expect(bypass(noProxy)({ host, port })).toBe(expected);
});

test.each([
  ["example.com:8443", { host: "example.com", port: 8443 }],
  ["example.com", { host: "example.com", port: 443 }],
  ["[::1]:80", { host: "::1", port: 80 }],
  ["example.com:0", undefined],
  ["example.com:99999", undefined],
  ["a b:1", undefined],
  ["user@host:1", undefined],
])("%s is understood", (text, expected) => {
  expect(parseAuthority(text, 443)).toEqual(expected);
});

test("a kind of proxy that cannot be chained is named, without its password", () => {
  const make = (): unknown => outward({ HTTPS_PROXY: "socks5://me:hidden@127.0.0.1:1080" });
  expect(make).toThrow(ParentProxyError);
  expect(make).toThrow(/^a proxy of the kind socks5:\/\/ cannot/);
});
