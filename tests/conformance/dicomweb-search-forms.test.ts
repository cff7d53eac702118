import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type DicomJson, readNativeModel } from "#formats/dicom";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import {
  dicomParts,
  imageFile,
  multipartBody,
  partsOf,
  seriesPath,
  seriesUidOf,
  studyPath,
  valuesOf,
} from "./dicomweb-files.fixture.ts";

let door: OpenDoor;
const request = (id: string, procedure: string) => ({
  ScheduledProcedureStepID: id,
  RequestedProcedureID: procedure,
  ScheduledProcedureStepDescription: `step ${id}`,
});

before(async () => {
  door = await openDoor();
  const files = [
    imageFile({
      study: 1,
      values: { RequestAttributesSequence: [request("S1", "R1")], TimezoneOffsetFromUTC: "+0100" },
    }),
    imageFile({ study: 2, values: { RequestAttributesSequence: [request("S2", "R2"), request("S3", "R3")] } }),
    imageFile({
      study: 3,
      values: { PatientName: "O'Neil-Smith^Mary Ann", AccessionNumber: "", StudyDescription: 'a<b>&"c' },
    }),
  ];
  const headers = { "content-type": dicomParts };
  const sent = { method: "POST", url: "/dicom-web/studies", headers, payload: multipartBody(files) } as const;
  assert.equal((await door.server.inject(sent)).statusCode, 200);
});
after(() => door.close());

const get = (path: string, accept = "application/dicom+json") =>
  door.server.inject({ url: path.startsWith("/dicom-web") ? path : `/dicom-web${path}`, headers: { accept } });
const search = async (path: string) => (await get(path)).json() as DicomJson[];
const idsIn = async (path: string) => (await search(path)).map((json) => valuesOf(json, "00100020")[0]).sort();

test("a series is found by the step and the procedure that it was made for, in any item, by every way of naming them", async () => {
  const key = "RequestAttributesSequence.ScheduledProcedureStepID";
  assert.deepEqual(await idsIn(`/series?${key}=S1`), ["P1"]);
  for (const query of [`${key}=S2`, `${key}=S3`, "00400275.00400009=S3", "RequestAttributesSequence.00401001=*3"]) {
    assert.deepEqual(await idsIn(`/series?${query}`), ["P2"], query);
  }
  assert.deepEqual(await idsIn("/series?00400275.RequestedProcedureID=R?"), ["P1", "P2"]);
  assert.deepEqual(await idsIn(`/instances?${key}=S3&RequestAttributesSequence.RequestedProcedureID=R2`), ["P2"]);
  const [found] = await search(`/series?${key}=S2`);
  const items = valuesOf(found, "00400275") as DicomJson[];
  assert.deepEqual(
    items.map((item) => [valuesOf(item, "00400009")[0], valuesOf(item, "00401001")[0]]),
    [
      ["S2", "R2"],
      ["S3", "R3"],
    ],
  );
  assert.equal(items[0]?.["00400007"], undefined);
});

test("more of a sequence than rows hold comes from the object; a path that is searched nowhere is told", async () => {
  const deep = "includefield=RequestAttributesSequence.ScheduledProcedureStepDescription";
  const [found] = await search(`/studies/${studyPath(1).split("/").at(-1)}/series?${deep}`);
  const [item] = valuesOf(found, "00400275") as DicomJson[];
  assert.deepEqual(valuesOf(item, "00400007"), ["step S1"]);
  const answer = await get(
    "/series?RequestAttributesSequence.ScheduledProcedureStepDescription=x&OtherPatientIDsSequence.PatientID=y",
  );
  assert.match(String(answer.headers.warning), /RequestAttributesSequence\.ScheduledProcedureStepDescription/);
  assert.equal((answer.json() as unknown[]).length, 3);
  const flood = Array.from({ length: 100 }, () => "00400275").join(".");
  assert.equal((await get(`/series?${flood}=1&includefield=${flood}`)).statusCode, 200);
});

test("fuzzy matching finds names by the beginnings of their words, in any order", async () => {
  for (const [name, ids] of [
    ["smith mary", ["P3"]],
    ["MARY^O'Neil", ["P3"]],
    ["ann oneil", []],
    ["anna mull", ["P1", "P2"]],
    ["mü an", ["P1", "P2"]],
    ["ith", []],
  ] as const) {
    assert.deepEqual(await idsIn(`/studies?fuzzymatching=true&PatientName=${encodeURIComponent(name)}`), ids, name);
  }
  assert.deepEqual(await idsIn("/studies?PatientName=smith%20mary"), []);
});

test("what has no value is found where that is asked for", async () => {
  assert.deepEqual(await idsIn("/studies?emptyvaluematching=true&AccessionNumber=%22%22"), ["P3"]);
  assert.deepEqual(await idsIn("/studies?AccessionNumber=%22%22"), []);
});

test("the time zone of a study stands at every level", async () => {
  for (const path of ["/studies?PatientID=P1", `${studyPath(1)}/series`, `${studyPath(1)}/instances`]) {
    assert.deepEqual(valuesOf((await search(path))[0], "00080201"), ["+0100"], path);
  }
});

test("searches, metadata and the answer to a store are given as XML to who asks for it, and say the same", async () => {
  const xml = 'multipart/related; type="application/dicom+xml"';
  for (const path of [
    "/studies?includefield=all",
    "/instances",
    `${studyPath(3)}/metadata`,
    `${seriesPath(2, 1)}/metadata`,
    `${seriesPath(1, 1)}/instances/${seriesUidOf(1, 1)}.1/metadata`,
  ]) {
    const [answer, json] = [await get(path, xml), await search(path)];
    assert.equal(answer.statusCode, 200, path);
    const parts = partsOf(String(answer.headers["content-type"]), answer.rawPayload);
    assert.ok(parts.every(({ headers }) => headers["content-type"] === "application/dicom+xml"));
    const texts = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value, (_key, one) => (typeof one === "number" ? String(one) : one)));
    const read = parts.map(({ body }) => readNativeModel(body.toString()));
    assert.deepEqual(texts(read), texts(json), path);
  }
  assert.equal((await get("/studies?PatientID=nobody", xml)).statusCode, 204);
  const headers = { "content-type": "application/dicom", accept: "application/dicom+xml" };
  const stored = await door.server.inject({ method: "POST", url: "/dicom-web/studies", headers, payload: imageFile() });
  assert.equal(stored.headers["content-type"], "application/dicom+xml");
  assert.equal(valuesOf(readNativeModel(stored.body), "00081199").length, 1);
});
