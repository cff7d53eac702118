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

test("an image type that is not what is stored is given where it can be compressed without loss, in the syntax named", () => {
  const syntax = (end: string) => `${implicit}${end}`;
  const offered = [
    le,
    syntax(".5"),
    syntax(".4.70"),
    syntax(".4.80"),
    syntax(".4.90"),
    syntax(".4.201"),
    syntax(".4.202"),
  ];
  const given = (accept: string) => {
    const form = frameForm(parseAccept(accept), le, true, offered);
    return form && [form.bytes, form.type];
  };
  const recoded = (type: string, uid: string) => [{ recodedFor: uid }, `${type}; transfer-syntax=${uid}`];
  assert.deepEqual(given('multipart/related; type="image/jls"'), recoded("image/jls", syntax(".4.80")));
  assert.deepEqual(given("image/jpeg"), recoded("image/jpeg", syntax(".4.70")));
  assert.deepEqual(given(`image/jphc; transfer-syntax=${syntax(".4.202")}`), recoded("image/jphc", syntax(".4.202")));
  assert.equal(given(`image/jphc; transfer-syntax=${syntax(".4.203")}`), undefined, "only without loss");
  assert.equal(given("image/jxl"), undefined);
  assert.equal(frameForm(parseAccept("image/jls"), le, true, [le]), undefined);
});
