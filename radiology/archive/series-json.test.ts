import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { DicomJson } from "#formats/dicom";
import { inflatedSeries, instanceIn, instancesIn, seriesJson } from "./series-json.ts";

const uid = (at: number) => `1.2.3.${at}`;
const instance = (at: number, refersTo: number): DicomJson => ({
  "00080018": { vr: "UI", Value: [uid(at)] },
  "00081140": { vr: "SQ", Value: [{ "00081155": { vr: "UI", Value: [uid(refersTo)] } }] },
  "00204000": { vr: "LT", Value: [`lines\nand "${uid(refersTo)}",\n[{}]`] },
});
const all = Array.from({ length: 20 }, (_, at) => instance(at, (at + 7) % 20));
const unknown: DicomJson = { "00080018": { vr: "UN", InlineBinary: Buffer.from("1.2.3.99\0").toString("base64") } };

test("one instance is found among those that refer to it, and all are read in their order", () => {
  const texts = [...all, unknown].map((json) => JSON.stringify(json));
  for (const text of [seriesJson(texts), `[${texts.join(",")}]`].map((each) => Buffer.from(each))) {
    assert.deepEqual(JSON.parse(text.toString()), [...all, unknown]);
    assert.deepEqual([...instancesIn(text)], [...all, unknown]);
    for (const [at, json] of all.entries()) assert.deepEqual(instanceIn(text, uid(at)), json);
    assert.deepEqual(instanceIn(text, uid(99)), unknown);
    assert.equal(instanceIn(text, uid(20)), undefined);
  }
  const none = Buffer.from(seriesJson([]));
  assert.deepEqual([[...instancesIn(none)], instanceIn(none, uid(1))], [[], undefined]);
});

test("what was kept is inflated whole, however long it is, and what is damaged is refused", async () => {
  for (const length of [2, 70_000, 3_000_000]) {
    const text = Buffer.alloc(length, "[1,2]");
    const inflated = await inflatedSeries(gzipSync(text));
    assert.ok(inflated.equals(text));
    if (length > 100_000) assert.ok(inflated.buffer.byteLength <= length + 1, "no more is held than the text");
  }
  await assert.rejects(inflatedSeries(Buffer.alloc(3)));
  await assert.rejects(inflatedSeries(gzipSync(Buffer.alloc(99)).subarray(0, 20)));
});
