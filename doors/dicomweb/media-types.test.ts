import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptsGzip, parseAccept, parseMediaType, preferred } from "./media-types.ts";

const names = (header: string | undefined) => parseAccept(header).map(({ name }) => name);

test("a type parameter is read with and without quotes", () => {
  for (const header of [
    'multipart/related; type="application/octet-stream"; transfer-syntax=*',
    "multipart/related; type=application/octet-stream; transfer-syntax=*",
    'Multipart/Related;TYPE="application/octet-stream";transfer-syntax="*"',
  ]) {
    const [only] = parseAccept(header);
    assert.equal(only?.name, "multipart/related");
    assert.equal(only?.parameters.get("type"), "application/octet-stream");
    assert.equal(only?.parameters.get("transfer-syntax"), "*");
  }
});

test("a comma or semicolon inside quotes separates nothing", () => {
  const [only, more] = parseAccept('multipart/related; type="a/b;x,y"');
  assert.equal(more, undefined);
  assert.equal(only?.parameters.get("type"), "a/b;x,y");
});

test("entries are sorted by quality, ties keep their order, and quality 0 is out", () => {
  assert.deepEqual(names("image/png;q=0.5, image/jpeg, image/gif;q=0, image/webp"), [
    "image/jpeg",
    "image/webp",
    "image/png",
  ]);
});

test("a missing or empty header accepts anything, one that cannot be read accepts nothing", () => {
  assert.deepEqual(names(undefined), ["*/*"]);
  assert.deepEqual(names("  "), ["*/*"]);
  assert.deepEqual(names("nonsense"), []);
});

test("the list that OHIF sends for a search finds DICOM JSON", () => {
  const accept = parseAccept("application/dicom+json, multipart/related; type=application/octet-stream");
  assert.equal(preferred(accept, ["application/dicom+json", "application/json"]), "application/dicom+json");
  assert.equal(preferred(parseAccept("application/*"), ["application/dicom+json"]), "application/dicom+json");
  assert.equal(preferred(parseAccept("text/html"), ["application/dicom+json"]), undefined);
});

test("a Content-Type keeps its boundary as it is written", () => {
  const type = parseMediaType('multipart/related; type="application/dicom"; boundary="Abc =_\\"x"');
  assert.equal(type?.parameters.get("boundary"), 'Abc =_"x');
  assert.equal(parseMediaType("no media type"), undefined);
});

test("gzip is used only where the client takes it", () => {
  assert.equal(acceptsGzip("gzip, deflate, br"), true);
  assert.equal(acceptsGzip("br;q=1, gzip;q=0"), false);
  assert.equal(acceptsGzip("identity"), false);
  assert.equal(acceptsGzip(undefined), false);
});
