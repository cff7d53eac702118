import assert from "node:assert/strict";
import { test } from "node:test";
import { frameForm } from "./frame-types.ts";
import { parseAccept } from "./media-types.ts";

const le = "1.2.840.10008.1.2.1";
const implicit = "1.2.840.10008.1.2";
const bigEndian = "1.2.840.10008.1.2.2";
const jls = "1.2.840.10008.1.2.4.80";
const htj2k = "1.2.840.10008.1.2.4.202";
const video = "1.2.840.10008.1.2.4.102";

function form(accept: string, stored: string): string {
  const found = frameForm(parseAccept(accept), stored, stored !== video);
  return found === undefined ? "406" : `${found.bytes} ${found.multipart ? "parts" : "single"} ${found.type}`;
}

const octets = (uid: string) => `application/octet-stream; transfer-syntax=${uid}`;

test("what Cornerstone asks for gets frames as stored", () => {
  for (const accept of [
    "multipart/related; type=application/octet-stream; transfer-syntax=*",
    'multipart/related; type="application/octet-stream"; transfer-syntax="*"',
  ]) {
    assert.equal(form(accept, jls), `stored parts ${octets(jls)}`);
    assert.equal(form(accept, le), `stored parts ${octets(le)}`);
    assert.equal(form(accept, implicit), `stored parts ${octets(le)}`);
    assert.equal(form(accept, video), `stored parts ${octets(video)}`);
  }
});

test("without a transfer syntax octets are Explicit VR Little Endian, decoded where they must be", () => {
  for (const accept of ["*/*", 'multipart/related; type="application/octet-stream"', ""]) {
    assert.equal(form(accept, le), `stored parts ${octets(le)}`);
    assert.equal(form(accept, bigEndian), `decoded parts ${octets(le)}`);
    assert.equal(form(accept, jls), `decoded parts ${octets(le)}`);
  }
  assert.equal(form("application/octet-stream", jls), `decoded single ${octets(le)}`);
  assert.equal(form('multipart/related; type="application/octet-stream"', video), `stored parts ${octets(video)}`);
  assert.equal(form(`multipart/related; type="application/octet-stream"; transfer-syntax=${le}`, video), "406");
});

test("image types are given where they are what is stored, old names too", () => {
  assert.equal(form('multipart/related; type="image/jls"', jls), `stored parts image/jls; transfer-syntax=${jls}`);
  assert.equal(form("multipart/related; type=image/x-jls", jls), `stored parts image/x-jls; transfer-syntax=${jls}`);
  assert.equal(form("image/jphc", htj2k), `stored single image/jphc; transfer-syntax=${htj2k}`);
  assert.equal(form("multipart/related; type=image/jpeg", jls), "406");
  assert.equal(form("image/jpeg", le), "406");
  assert.equal(
    form("multipart/related; type=image/jpeg, multipart/related; type=application/octet-stream;q=0.5", jls),
    `decoded parts ${octets(le)}`,
  );
});

test("a transfer syntax that is neither stored nor plain is not made", () => {
  assert.equal(form(`multipart/related; type=application/octet-stream; transfer-syntax=${htj2k}`, jls), "406");
  assert.equal(
    form(`multipart/related; type=application/octet-stream; transfer-syntax=${le}`, jls),
    `decoded parts ${octets(le)}`,
  );
});
