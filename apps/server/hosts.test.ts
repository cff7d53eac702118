import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalHost, requestedHost } from "./hosts.ts";

const asked = (url: string, ...hosts: string[]) =>
  requestedHost({ url, rawHeaders: hosts.flatMap((host) => ["Host", host]) } as unknown as IncomingMessage);

test("a host has one text: lower case, without a dot at the end, addresses compressed and without brackets", () => {
  for (const [text, host] of [
    ["Clinic.Example.ORG", "clinic.example.org"],
    ["clinic.example.org.", "clinic.example.org"],
    ["xn--mnchen-3ya.example", "xn--mnchen-3ya.example"],
    ["localhost", "localhost"],
    ["192.0.2.7", "192.0.2.7"],
    ["[2001:DB8:0::1]", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["[::ffff:192.0.2.7]", "192.0.2.7"],
  ] as const) {
    assert.equal(canonicalHost(text), host);
  }
});

test("what is no host is none", () => {
  for (const text of [
    "",
    ".",
    "a..b",
    "-a.b",
    "a-.b",
    "a b",
    "a/b",
    "a:1",
    "a@b",
    "127.1",
    "0x7f.1.2.3.4",
    "1",
    "a.1",
    "[a]",
    "[::1",
    "::1]",
    "fe80::1%lo",
    "münchen.example",
    `${"a".repeat(64)}.b`,
    `${"a.".repeat(130)}b`,
  ]) {
    assert.equal(canonicalHost(text), undefined, text);
  }
});

test("what is canonical stays so", () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
      const host = canonicalHost(text);
      if (host === undefined) return;
      assert.equal(canonicalHost(host), host);
      assert.equal(canonicalHost(host.toUpperCase()), host);
    }),
  );
});

test("a request names the host that it names in every way at once, or is malformed", () => {
  assert.equal(asked("/", "a.example:8443"), "a.example");
  assert.equal(asked("/", "[::1]:8443"), "::1");
  assert.equal(asked("/"), undefined);
  assert.equal(asked("*", "a.example"), "a.example");
  assert.equal(asked("https://A.example:443/x", "a.example"), "a.example");
  for (const [url, ...hosts] of [
    ["/", "a.example", "a.example"],
    ["/", "a.example", "b.example"],
    ["/", ""],
    ["/", "a.example:65536"],
    ["/", `a.example:${"1".repeat(9)}`],
    ["https://b.example/", "a.example"],
    ["https://a.example/"],
    ["http://a.example/", "a.example"],
    ["https://x@a.example/", "a.example"],
    ["a.example:443", "a.example"],
    ["", "a.example"],
  ] as const) {
    assert.equal(asked(url, ...hosts), "malformed", `${url} ${hosts}`);
  }
});
