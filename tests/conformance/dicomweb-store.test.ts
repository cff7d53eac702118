import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { DicomJson } from "#formats/dicom";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import {
  dicomParts,
  imageFile,
  multipartBody,
  sopUidOf,
  studyPath,
  studyUidOf,
  valuesOf,
} from "./dicomweb-files.fixture.ts";

let door: OpenDoor;

const get = (url: string, headers: Record<string, string> = {}) => door.server.inject({ url, headers });
const post = (payload: Buffer, contentType = dicomParts, url = "/dicom-web/studies", more = {}) =>
  door.server.inject({ method: "POST", url, headers: { "content-type": contentType, ...more }, payload });
const items = (json: DicomJson | undefined, tag: string) => valuesOf(json, tag) as DicomJson[];

before(async () => {
  door = await openDoor();
});
after(() => door.close());

test("every part is stored and told with where it can be retrieved", async () => {
  const files = [imageFile({ study: 1, sop: 1 }), imageFile({ study: 1, sop: 2 })];
  for (const type of [dicomParts, "multipart/related; type=application/dicom; boundary=next"]) {
    const answer = await post(multipartBody(files), type);
    assert.equal(answer.statusCode, 200);
    assert.match(String(answer.headers["content-type"]), /^application\/dicom\+json/);
    const json = answer.json() as DicomJson;
    assert.deepEqual(valuesOf(json, "00081190"), [`http://localhost:80${studyPath(1)}`]);
    const stored = items(json, "00081199").map((item) => valuesOf(item, "00081155")[0]);
    assert.deepEqual(stored, [sopUidOf(1, 1, 1), sopUidOf(1, 1, 2)]);
    assert.equal(json["00081198"], undefined);
  }
  const found = (await get(`${studyPath(1)}/instances`)).json() as DicomJson[];
  assert.equal(found.length, 2, "what was stored twice is there once");
});

test("one instance by itself needs no multipart", async () => {
  assert.equal((await post(imageFile({ study: 2 }), "application/dicom")).statusCode, 200);
});

test("some stored is 202, none is 409, and each failure has its reason", async () => {
  const good = imageFile({ study: 3 });
  const bad = Buffer.from("no DICOM at all, and long enough to be looked at".repeat(10));
  const some = await post(multipartBody([bad, good]));
  assert.equal(some.statusCode, 202);
  assert.equal(items(some.json(), "00081199").length, 1);
  const [failed] = items(some.json(), "00081198");
  assert.deepEqual(valuesOf(failed, "00081197"), [0xc000]);
  assert.equal((await post(multipartBody([bad]))).statusCode, 409);
});

test("an instance of another study than the path's is refused with its UIDs, and is not kept", async () => {
  const answer = await post(
    multipartBody([imageFile({ study: 4 }), imageFile({ study: 5 })]),
    dicomParts,
    studyPath(4),
  );
  assert.equal(answer.statusCode, 202);
  const [failed] = items(answer.json(), "00081198");
  assert.deepEqual(valuesOf(failed, "00081155"), [sopUidOf(5, 1, 1)]);
  assert.deepEqual(valuesOf(failed, "00081197"), [0xa901]);
  assert.deepEqual((await get(`/dicom-web/studies?StudyInstanceUID=${studyUidOf(5)}`)).json(), []);
});

test("a body that ends inside a part stores what was whole", async () => {
  const body = multipartBody([imageFile({ study: 6, sop: 1 }), imageFile({ study: 6, sop: 2 })]);
  const answer = await post(body.subarray(0, body.length - 50));
  assert.equal(answer.statusCode, 202);
  assert.equal(((await get(`${studyPath(6)}/instances`)).json() as DicomJson[]).length, 1);
});

test("compressed bodies, other types and bodies that are no multipart are refused clearly", async () => {
  const body = multipartBody([imageFile({ study: 7 })]);
  assert.equal((await post(gzipSync(body), dicomParts, undefined, { "content-encoding": "gzip" })).statusCode, 415);
  assert.equal((await post(body, "text/plain")).statusCode, 415);
  assert.equal((await post(body, 'multipart/related; type="application/dicom"')).statusCode, 400);
  assert.equal((await post(Buffer.from("no multipart"), dicomParts)).statusCode, 400);
  assert.equal((await post(Buffer.from("--next--"), dicomParts)).statusCode, 400);
  assert.equal((await post(multipartBody([Buffer.from("{}")], "next", "application/json"))).statusCode, 409);
});
