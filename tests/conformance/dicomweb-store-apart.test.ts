import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type DicomJson, readFile, Tag, TransferSyntaxUid, toDicomJson, writeNativeModel } from "#formats/dicom";
import { createPictureEncoder } from "#imaging/pictures";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import { imageFile, sopUidOf, studyPath, valuesOf } from "./dicomweb-files.fixture.ts";

let door: OpenDoor;
before(async () => {
  door = await openDoor();
});
after(() => door.close());

interface Part {
  readonly type: string;
  readonly location?: string;
  readonly body: Buffer | string;
}

const multipart = (parts: readonly Part[]) =>
  Buffer.concat([
    ...parts.flatMap(({ type, location, body }) => [
      Buffer.from(`\r\n--b\r\nContent-Type: ${type}\r\n${location ? `Content-Location: ${location}\r\n` : ""}\r\n`),
      Buffer.from(body),
    ]),
    Buffer.from("\r\n--b--"),
  ]);
const typeOf = (form: "json" | "xml") => `multipart/related; type="application/dicom+${form}"; boundary=b`;
const post = (payload: Buffer, type: string, url = "/dicom-web/studies") =>
  door.server.inject({ method: "POST", url, headers: { "content-type": type }, payload });
const failuresOf = (json: DicomJson) =>
  (valuesOf(json, "00081198") as DicomJson[]).map((item) => valuesOf(item, "00081197")[0]);

/** Metadata of one of our images, its pixels at a location. */
function apart(study: number, uri: string, more: DicomJson = {}): { json: DicomJson; pixels: Buffer } {
  const { dataSet } = readFile(imageFile({ study }));
  const { "7FE00010": _pixels, ...json } = toDicomJson(dataSet);
  const pixels = Buffer.from(dataSet.bytes(Tag.PixelData) ?? []);
  return { json: { ...json, "7FE00010": { vr: "OW", BulkDataURI: uri }, ...more } as DicomJson, pixels };
}

async function stored(study: number, accept = "application/dicom; transfer-syntax=*") {
  const instance = `${studyPath(study)}/series/${studyPath(study).split("/").at(-1)}.1/instances/${sopUidOf(study, 1, 1)}`;
  const answer = await door.server.inject({ url: instance, headers: { accept } });
  assert.equal(answer.statusCode, 200);
  return readFile(answer.rawPayload);
}

for (const form of ["json", "xml"] as const) {
  test(`an image whose metadata came as ${form} and whose pixels came apart is one that reads the same`, async () => {
    const study = form === "json" ? 1 : 2;
    const { json, pixels } = apart(study, "urn:pixels:1");
    const metadata = form === "json" ? JSON.stringify([json]) : writeNativeModel(json);
    const answer = await post(
      multipart([
        { type: `application/dicom+${form}; transfer-syntax=1.2.840.10008.1.2.1`, body: metadata },
        { type: "application/octet-stream", location: "urn:pixels:1", body: pixels },
      ]),
      typeOf(form),
      studyPath(study),
    );
    assert.equal(answer.statusCode, 200, answer.body);
    const { dataSet, transferSyntaxUid } = await stored(study);
    assert.equal(transferSyntaxUid, TransferSyntaxUid.explicitLittleEndian);
    assert.deepEqual(Buffer.from(dataSet.bytes(Tag.PixelData) ?? []), pixels);
    assert.equal(dataSet.text(Tag.PatientName), `Müller^Anna ${study}`);
    const expected = toDicomJson(readFile(imageFile({ study })).dataSet);
    assert.deepEqual(JSON.parse(JSON.stringify(toDicomJson(dataSet))), JSON.parse(JSON.stringify(expected)));
  });
}

test("pixels as a JPEG become an encapsulated frame of the syntax that the picture has", async () => {
  const raw = { width: 16, height: 16, channels: 1, pixels: new Uint8Array(256).fill(99) } as const;
  const picture = await createPictureEncoder()(raw, { type: "image/jpeg" });
  const unsigned = (value: number) => ({ vr: "US" as const, Value: [value] });
  const { json } = apart(3, "../frames/1", {
    ...{ "00280010": unsigned(16), "00280011": unsigned(16) },
    ...{ "00280100": unsigned(8), "00280101": unsigned(8), "00280102": unsigned(7) },
  });
  const answer = await post(
    multipart([
      { type: "application/dicom+json", body: JSON.stringify(json) },
      { type: "image/jpeg", location: "../frames/1", body: Buffer.from(picture) },
    ]),
    typeOf("json"),
  );
  assert.equal(answer.statusCode, 200, answer.body);
  const { dataSet, transferSyntaxUid } = await stored(3);
  assert.equal(transferSyntaxUid, TransferSyntaxUid.jpegBaseline8Bit);
  assert.equal(dataSet.get(Tag.PixelData)?.fragments?.length, 2);
});

test("bulk data that did not come along is looked for nowhere: its instance fails, the others are stored", async () => {
  const { json } = apart(4, "http://127.0.0.1:1/pixels");
  const good = apart(5, "here");
  const answer = await post(
    multipart([
      { type: "application/dicom+json", body: JSON.stringify([json, good.json]) },
      { type: "application/octet-stream", location: "here", body: good.pixels },
    ]),
    typeOf("json"),
  );
  assert.equal(answer.statusCode, 202);
  assert.deepEqual(failuresOf(answer.json()), [0xc000]);
  assert.equal(valuesOf(answer.json(), "00081199").length, 1);
});

test("instances of another study, of no storage class, or without UIDs fail with their reasons", async () => {
  const images = [
    apart(6, "p").json,
    { ...apart(7, "p").json, "00080016": { vr: "UI", Value: ["1.2.840.10008.1.1"] } },
    { ...apart(7, "p").json, "00080018": { vr: "UI" } },
    { ...apart(7, "p").json, "00100010": { vr: "XX" } },
    "no object",
    null,
  ];
  const parts = [
    { type: "application/dicom+json", body: JSON.stringify(images) },
    { type: "application/octet-stream", location: "p", body: apart(6, "p").pixels },
  ];
  const answer = await post(multipart(parts), typeOf("json"), studyPath(7));
  assert.equal(answer.statusCode, 409);
  assert.deepEqual(failuresOf(answer.json()), [0xa901, 0x0122, 0xc000, 0xc000, 0xc000, 0xc000]);
});

test("metadata that cannot be read is 400, too much of it 413, and none at all 400", async () => {
  const bad: readonly (readonly [string, Buffer, "json" | "xml"])[] = [
    ["no JSON", multipart([{ type: "application/dicom+json", body: "{" }]), "json"],
    ["no XML", multipart([{ type: "application/dicom+xml", body: "<a/>" }]), "xml"],
    ["no UTF-8", multipart([{ type: "application/dicom+json", body: Buffer.of(0x22, 0xff, 0x22) }]), "json"],
    ["no metadata", multipart([{ type: "application/octet-stream", location: "a", body: "x" }]), "json"],
    ["cut short", multipart([{ type: "application/dicom+json", body: "[]" }]).subarray(0, -8), "json"],
  ];
  for (const [what, body, form] of bad) assert.equal((await post(body, typeOf(form))).statusCode, 400, what);
  const large = JSON.stringify({ "00104000": { vr: "LT", Value: ["x".repeat(9 * 1024 * 1024)] } });
  assert.equal(
    (await post(multipart([{ type: "application/dicom+json", body: large }]), typeOf("json"))).statusCode,
    413,
  );
});

test("a report needs no bulk data, and neither multipart", async () => {
  const { "7FE00010": _pixels, ...report } = apart(8, "").json;
  assert.equal((await post(Buffer.from(JSON.stringify(report)), "application/dicom+json")).statusCode, 200);
  assert.equal((await stored(8)).dataSet.get(Tag.PixelData), undefined);
});

test("bulk data that is named again and again is stored as long as it stays little, and makes no gigabytes", async () => {
  const naming = (study: number, times: number) => {
    const { json, pixels } = apart(study, "urn:pixels");
    for (let at = 0; at < times; at++) {
      json[`0011${(0x1000 + at).toString(16)}`] = { vr: "OB", BulkDataURI: "urn:other" };
    }
    return { json: { ...json, "00110010": { vr: "LO", Value: ["TEST"] } } as DicomJson, pixels };
  };
  const send = ({ json, pixels }: ReturnType<typeof naming>, otherBytes: number) =>
    post(
      multipart([
        { type: "application/dicom+json", body: JSON.stringify([json]) },
        { type: "application/octet-stream", location: "urn:pixels", body: pixels },
        { type: "application/octet-stream", location: "urn:other", body: Buffer.alloc(otherBytes) },
      ]),
      typeOf("json"),
    );
  assert.equal((await send(naming(31, 5), 1_000)).statusCode, 200);
  const much = await send(naming(32, 400), 1024 * 1024);
  assert.equal(much.statusCode, 409);
  assert.deepEqual(failuresOf(much.json()), [0xa700]);
});
