import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { DicomJson } from "#formats/dicom";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import {
  dicomParts,
  imageFile,
  instancePath,
  multipartBody,
  seriesPath,
  seriesUidOf,
  sopUidOf,
  studyPath,
  studyUidOf,
  valuesOf,
} from "./dicomweb-files.fixture.ts";

let door: OpenDoor;

const get = (url: string, headers: Record<string, string> = {}) => door.server.inject({ url, headers });
const post = (payload: Buffer, contentType = dicomParts, url = "/dicom-web/studies", more = {}) =>
  door.server.inject({ method: "POST", url, headers: { "content-type": contentType, ...more }, payload });

before(async () => {
  door = await openDoor();
  const files = [1, 2, 3].flatMap((number) => [
    imageFile({ study: number, series: 1, sop: 1 }),
    imageFile({ study: number, series: 1, sop: 2 }),
    imageFile({ study: number, series: 2, sop: 1, values: { Modality: "SR", ContrastBolusAgent: "Gd" } }),
  ]);
  assert.equal((await post(multipartBody(files))).statusCode, 200);
});
after(() => door.close());

const search = async (path: string, headers = {}) => {
  const answer = await get(`/dicom-web${path}`, headers);
  assert.equal(answer.statusCode, 200, `${path}: ${answer.body}`);
  return answer.json() as DicomJson[];
};
const studiesOf = (found: readonly DicomJson[]) => found.map((json) => valuesOf(json, "0020000D")[0]);

test("a study has what viewers need", async () => {
  const [found, ...more] = await search("/studies?PatientID=P2");
  assert.deepEqual(more, []);
  assert.deepEqual(found, {
    "00080005": { vr: "CS", Value: ["ISO_IR 192"] },
    "00080020": { vr: "DA", Value: ["20240103"] },
    "00080030": { vr: "TM", Value: ["101500"] },
    "00080050": { vr: "SH", Value: ["A2"] },
    "00080056": { vr: "CS", Value: ["ONLINE"] },
    "00080061": { vr: "CS", Value: ["CT", "SR"] },
    "00080090": { vr: "PN", Value: [{ Alphabetic: "House^Gregory" }] },
    "00081030": { vr: "LO", Value: ["Thorax"] },
    "00081190": { vr: "UR", Value: [`http://localhost:80${studyPath(2)}`] },
    "00100010": { vr: "PN", Value: [{ Alphabetic: "Müller^Anna 2" }] },
    "00100020": { vr: "LO", Value: ["P2"] },
    "00100030": { vr: "DA", Value: ["19700101"] },
    "00100040": { vr: "CS", Value: ["F"] },
    "0020000D": { vr: "UI", Value: [studyUidOf(2)] },
    "00200010": { vr: "SH", Value: ["1"] },
    "00201206": { vr: "IS", Value: [2] },
    "00201208": { vr: "IS", Value: [3] },
  });
});

test("keys by keyword and by tag, lists, wildcards and ranges find the same", async () => {
  const two = [studyUidOf(2)];
  for (const query of [
    "PatientID=P2",
    "00100020=P2",
    "00100020=%2A2",
    "AccessionNumber=A2&ModalitiesInStudy=CT",
    "StudyDate=20240103-20240103",
    `StudyInstanceUID=${studyUidOf(2)},1.2.3`,
    `StudyInstanceUID=${studyUidOf(2)}\\1.2.3`,
    "PatientName=*anna%202&unknown=1&99990010=2",
    "PatientName=MULLER^ANNA%202&fuzzymatching=true",
  ]) {
    assert.deepEqual(studiesOf(await search(`/studies?${query}`)), two, query);
  }
  assert.deepEqual(await search("/studies?PatientID=nobody"), []);
  assert.equal((await search("/studies?ModalitiesInStudy=SR")).length, 3);
});

test("series and instances are found inside a study, inside a series and across all", async () => {
  assert.equal((await search(`/studies/${studyUidOf(1)}/series`)).length, 2);
  assert.equal((await search(`/studies/${studyUidOf(1)}/instances`)).length, 3);
  assert.equal((await search(`/studies/${studyUidOf(1)}/series/${seriesUidOf(1, 1)}/instances`)).length, 2);
  assert.equal((await search("/series?Modality=SR")).length, 3);
  const [only, ...more] = await search(`/instances?00080018=${sopUidOf(3, 1, 2)}`);
  assert.deepEqual(more, []);
  assert.deepEqual(valuesOf(only, "00100020"), ["P3"], "across studies a result says whose it is");
  assert.deepEqual(valuesOf(only, "00081190"), [`http://localhost:80${instancePath(3, 1, 2)}`]);
  const [inside] = await search(`/studies/${studyUidOf(1)}/series?Modality=CT`);
  assert.deepEqual(Object.keys(inside ?? {}), [
    "00080005",
    "00080021",
    "00080031",
    "00080056",
    "00080060",
    "0008103E",
    "00081190",
    "0020000D",
    "0020000E",
    "00200011",
    "00201209",
    "00400244",
    "00400245",
  ]);
});

test("includefield brings what is asked for, from the index or from the object", async () => {
  const list = "includefield=00280030,ContrastBolusAgent&includefield=StudyDescription";
  const [found] = await search(`${seriesPath(2, 2).slice(10)}/instances?${list}`);
  assert.deepEqual(found?.["00280030"], { vr: "DS", Value: [0.5, 0.5] });
  assert.deepEqual(found?.["00180010"], { vr: "LO", Value: ["Gd"] });
  assert.deepEqual(valuesOf(found, "00081030"), ["Thorax"]);
});

test("pages follow each other, and a warning says that there are more", async () => {
  const seen: unknown[] = [];
  for (const offset of [0, 1, 2, 3]) {
    const answer = await get(`/dicom-web/studies?limit=1&offset=${offset}`);
    seen.push(...studiesOf(answer.json() as DicomJson[]));
    assert.equal(/^299 /.test(String(answer.headers.warning)), offset < 2, `offset ${offset}`);
  }
  assert.deepEqual(seen, [studyUidOf(3), studyUidOf(2), studyUidOf(1)]);
});

test("every Accept header that viewers send gets JSON; one that takes only a picture does not", async () => {
  for (const accept of [
    "application/dicom+json",
    "application/json",
    "*/*",
    "application/dicom+json, multipart/related; type=application/octet-stream",
    'multipart/related; type="application/octet-stream"',
  ]) {
    await search("/studies", { accept });
  }
  assert.equal((await get("/dicom-web/studies", { accept: "image/png" })).statusCode, 406);
  assert.equal((await get("/dicom-web/studies?accept=application/json", { accept: "image/png" })).statusCode, 200);
});

test("a malformed UID or date is a 400, an unknown study an empty list", async () => {
  assert.equal((await get("/dicom-web/studies/1..2/series")).statusCode, 400);
  assert.equal((await get("/dicom-web/studies?StudyDate=2024-13")).statusCode, 400);
  assert.deepEqual(await search("/studies/1.2.3.4/series"), []);
});

test("forwarding headers count only where they are trusted", async () => {
  const headers = { forwarded: 'proto=https;host="pacs.example.org"', host: "inside:8443" };
  const [plain] = await search("/studies?limit=1", headers);
  assert.match(String(valuesOf(plain, "00081190")[0]), /^http:\/\/inside:8443\//);
  const trusting = await openDoor(undefined, { trustForwarded: true });
  await trusting.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: imageFile(),
  });
  const answer = await trusting.server.inject({ url: "/dicom-web/studies", headers });
  assert.match(answer.body, /https:\/\/pacs\.example\.org\/dicom-web\/studies\//);
  await trusting.close();
});
