import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type DicomJson, readFile, TransferSyntaxUid } from "#formats/dicom";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import {
  asStored,
  dicomParts,
  imageFile,
  instancePath,
  multipartBody,
  partsOf,
  seriesPath,
  studyPath,
  testRoot,
} from "./dicomweb-files.fixture.ts";

let door: OpenDoor;

const get = (url: string, headers: Record<string, string> = {}) => door.server.inject({ url, headers });
const post = (payload: Buffer, contentType = dicomParts, url = "/dicom-web/studies", more = {}) =>
  door.server.inject({ method: "POST", url, headers: { "content-type": contentType, ...more }, payload });

const files = [1, 2, 3].map((sop) => imageFile({ study: 1, sop }));
const frames = imageFile({ study: 2, frames: 3 });
const implicit = imageFile({ study: 3, transferSyntaxUid: TransferSyntaxUid.implicitLittleEndian });
const bigEndian = imageFile({ study: 4, transferSyntaxUid: TransferSyntaxUid.explicitBigEndian });

before(async () => {
  door = await openDoor();
  assert.equal((await post(multipartBody([...files, frames, implicit, bigEndian]))).statusCode, 200);
});
after(() => door.close());

test("study, series and instance come back bit for bit, each part told what and whence", async () => {
  for (const [url, expected] of [
    [studyPath(1), files],
    [seriesPath(1), files],
    [instancePath(1, 1, 2), [files[1]]],
    [instancePath(3), [implicit]],
  ] as const) {
    const answer = await get(url, { accept: asStored });
    assert.equal(answer.statusCode, 200);
    assert.equal(Number(answer.headers["content-length"]), answer.rawPayload.length);
    const parts = partsOf(String(answer.headers["content-type"]), answer.rawPayload);
    assert.deepEqual(
      parts.map(({ body }) => body),
      expected,
    );
    for (const { headers } of parts) {
      assert.match(headers["content-type"] ?? "", /^application\/dicom; transfer-syntax=1\.2\.840\.10008\.1\.2/);
      assert.match(headers["content-location"] ?? "", /^http:\/\/localhost:80\/dicom-web\/studies\//);
    }
  }
});

test("without a transfer syntax, instances are given in Explicit VR Little Endian", async () => {
  for (const number of [3, 4]) {
    const answer = await get(instancePath(number), { accept: "application/dicom" });
    assert.match(String(answer.headers["content-type"]), /transfer-syntax=1\.2\.840\.10008\.1\.2\.1$/);
    const { dataSet, transferSyntaxUid } = readFile(answer.rawPayload);
    assert.equal(transferSyntaxUid, TransferSyntaxUid.explicitLittleEndian);
    const expected = readFile(imageFile({ study: number })).dataSet;
    assert.deepEqual(
      dataSet.elements.map((element) => [element.tag, dataSet.bytesOf(element)]),
      expected.elements.map((element) => [element.tag, expected.bytesOf(element)]),
    );
  }
  const refused = await get(instancePath(4), { accept: "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50" });
  assert.equal(refused.statusCode, 406);
  assert.equal((await get(instancePath(4), { accept: "text/html" })).statusCode, 406);
});

test("frames: one, several, by ranges, as a single part", async () => {
  const pixels = readFile(frames).dataSet.bytes(0x7fe00010) ?? new Uint8Array();
  const frame = (number: number) => Buffer.from(pixels.subarray((number - 1) * 128, number * 128));
  const accept = "multipart/related; type=application/octet-stream; transfer-syntax=*";
  const several = await get(`${instancePath(2)}/frames/3,1`, { accept });
  const parts = partsOf(String(several.headers["content-type"]), several.rawPayload);
  assert.deepEqual(
    parts.map(({ body }) => body),
    [frame(3), frame(1)],
  );
  const single = { accept: "application/octet-stream" };
  assert.deepEqual((await get(`${instancePath(2)}/frames/2`, single)).rawPayload, frame(2));
  const ranged = await get(`${instancePath(2)}/frames/2`, { ...single, range: "bytes=10-19" });
  assert.equal(ranged.statusCode, 206);
  assert.equal(ranged.headers["content-range"], "bytes 10-19/128");
  assert.deepEqual(ranged.rawPayload, frame(2).subarray(10, 20));
  const behind = await get(`${instancePath(2)}/frames/2`, { ...single, range: "bytes=128-" });
  assert.equal(behind.statusCode, 416);
  assert.equal(behind.headers["content-range"], "bytes */128");
  const whole = await get(`${instancePath(2)}/frames/2`, { accept });
  const half = whole.rawPayload.length >> 1;
  const joined = await Promise.all(
    [`bytes=0-${half - 1}`, `bytes=${half}-`].map((range) => get(`${instancePath(2)}/frames/2`, { accept, range })),
  );
  assert.deepEqual(Buffer.concat(joined.map((each) => each.rawPayload)), whole.rawPayload);
});

test("frames that are not there are 404, lists that are none 400", async () => {
  assert.equal((await get(`${instancePath(2)}/frames/4`)).statusCode, 404);
  for (const list of ["0", "a", "1,,2", "-1", "1e3", "9999999999"]) {
    assert.equal((await get(`${instancePath(2)}/frames/${list}`)).statusCode, 400, list);
  }
  assert.equal((await get(`${instancePath(2)}/frames/${"1,".repeat(500_000)}1`)).statusCode, 414);
  assert.equal((await get(`${instancePath(2)}/frames/1`, { accept: "image/jxl" })).statusCode, 406);
});

test("metadata at three levels, and every address in it gives the bytes", async () => {
  for (const [url, count] of [
    [studyPath(1), 3],
    [seriesPath(1), 3],
    [instancePath(1, 1, 2), 1],
  ] as const) {
    const plain = await get(`${url}/metadata`);
    const packed = await get(`${url}/metadata`, { "accept-encoding": "gzip" });
    const isPacked = packed.headers["content-encoding"] === "gzip";
    assert.equal(isPacked, url !== instancePath(1, 1, 2), "one instance is not worth it");
    assert.deepEqual(isPacked ? JSON.parse(gunzipSync(packed.rawPayload).toString()) : packed.json(), plain.json());
    const all = plain.json() as DicomJson[];
    assert.equal(all.length, count);
    for (const json of all) {
      const address = json["7FE00010"]?.BulkDataURI ?? "none";
      assert.ok(address.startsWith("/dicom-web/studies/"));
      const bulk = await get(address, { accept: "application/octet-stream" });
      assert.equal(bulk.rawPayload.length, 128);
      assert.equal(json["00100010"]?.Value?.length, 1);
    }
  }
  assert.equal((await get(`${studyPath(9)}/metadata`)).statusCode, 404);
  assert.equal((await get(`${instancePath(1)}/bulkdata/00100010/2/00100010`)).statusCode, 404);
  assert.equal((await get(`${instancePath(1)}/bulkdata/..%2f..`)).statusCode, 404);
});

test("pictures: JPEG unless PNG is wanted, as large as asked, refused out of bounds", async () => {
  const jpeg = await get(`${instancePath(1)}/rendered?window=30,60,linear&viewport=64,64&quality=50`);
  assert.equal(jpeg.headers["content-type"], "image/jpeg");
  assert.equal(jpeg.rawPayload.readUInt16BE(0), 0xffd8);
  const png = await get(`${instancePath(1)}/frames/1/rendered`, { accept: "image/png" });
  assert.equal(png.rawPayload.toString("latin1", 1, 4), "PNG");
  for (const url of [studyPath(1), seriesPath(1), instancePath(1), `${instancePath(2)}/frames/3`]) {
    const thumbnail = await get(`${url}/thumbnail`, { accept: "image/jpeg" });
    assert.equal(thumbnail.headers["content-type"], "image/jpeg");
    assert.equal((await get(`${url}/rendered`)).statusCode, 200);
    assert.deepEqual((await get(`${url}/thumbnail`)).rawPayload, thumbnail.rawPayload);
  }
  for (const query of [
    "viewport=99999,99999",
    "viewport=0,1",
    "viewport=8,8,9,9,1,1",
    "window=1",
    "window=1,0,linear",
    "window=1e99,2,linear",
    "window=1,2,cubic",
    "quality=0",
    "quality=x",
  ]) {
    assert.equal((await get(`${instancePath(1)}/rendered?${query}`)).statusCode, 400, query);
  }
  assert.equal((await get(`${instancePath(1)}/rendered`, { accept: "video/mp4" })).statusCode, 406);
  assert.equal((await get(`${instancePath(1)}/frames/1,2/rendered`)).statusCode, 400);
});

test("an encapsulated PDF is rendered as the document it is", async () => {
  const document = Buffer.from("%PDF-1.7 and so on");
  const values = {
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.104.1",
    Modality: "DOC",
    MIMETypeOfEncapsulatedDocument: "application/pdf",
    EncapsulatedDocument: Buffer.concat([document, Buffer.alloc(document.length % 2)]),
    EncapsulatedDocumentLength: document.length,
    PixelData: undefined,
    Rows: undefined,
    Columns: undefined,
  };
  assert.equal((await post(imageFile({ study: 8, values }), "application/dicom")).statusCode, 200);
  const answer = await get(`${instancePath(8)}/rendered`, { accept: "application/pdf, image/jpeg" });
  assert.equal(answer.headers["content-type"], "application/pdf");
  assert.deepEqual(answer.rawPayload, document);
  const asked = await get(`${instancePath(8)}/bulkdata/00420011?accept=application/pdf`);
  assert.deepEqual([asked.headers["content-type"], asked.rawPayload], ["application/pdf", document]);
  assert.equal((await get(`${instancePath(8)}/bulkdata/00420011?accept=video/mp4`)).statusCode, 406);
  assert.equal((await get(`${instancePath(8)}/thumbnail`)).statusCode, 404);
  assert.equal((await get(`${instancePath(8)}/frames/1`)).statusCode, 404);
});

test("video is bulk data as a whole, by its own media type and by ranges", async () => {
  const video = [Buffer.from("the beginning of a film"), Buffer.from(" and its end")].map((bytes) =>
    Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]),
  );
  const values = { NumberOfFrames: 50, PixelData: { fragments: [new Uint8Array(0), ...video] } };
  const transferSyntaxUid = "1.2.840.10008.1.2.4.102";
  assert.equal((await post(imageFile({ study: 18, transferSyntaxUid, values }), "application/dicom")).statusCode, 200);
  const whole = Buffer.concat(video);
  const url = `${instancePath(18)}/bulkdata/7FE00010`;
  const answer = await get(`${url}?accept=video/mp4`);
  assert.equal(answer.headers["content-type"], `video/mp4; transfer-syntax=${transferSyntaxUid}`);
  assert.deepEqual(answer.rawPayload, whole);
  const part = await get(url, { accept: "video/*", range: "bytes=4-8" });
  assert.deepEqual([part.statusCode, part.rawPayload], [206, whole.subarray(4, 9)]);
  const plain = await get(url, { accept: "application/octet-stream" });
  assert.deepEqual(plain.rawPayload, whole);
  assert.match(
    String((await get(url)).headers["content-type"]),
    /^multipart\/related; type="application\/octet-stream"/,
  );
});

test("HEAD answers as GET does, without the body", async () => {
  for (const url of [studyPath(1), `${instancePath(2)}/frames/1`, "/dicom-web/studies", `${seriesPath(1)}/metadata`]) {
    const accept = url === studyPath(1) ? asStored : "*/*";
    const full = await get(url, { accept });
    const head = await door.server.inject({ method: "HEAD", url, headers: { accept } });
    assert.equal(head.statusCode, 200, url);
    assert.equal(head.rawPayload.length, 0);
    assert.equal(head.headers["content-type"], full.headers["content-type"]);
  }
});

test("what is absent is 404, nothing is cached, and other origins are told nothing", async () => {
  assert.equal((await get(studyPath(99))).statusCode, 404);
  assert.equal((await get(`${studyPath(1)}/series/${testRoot}.9`)).statusCode, 404);
  const answer = await get(studyPath(1), { origin: "https://other.example", accept: asStored });
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["access-control-allow-origin"], undefined);
  const options = await door.server.inject({ method: "OPTIONS", url: studyPath(1) });
  assert.equal(options.statusCode, 204);
  assert.equal(options.headers.allow, "GET, HEAD, POST, DELETE, OPTIONS");
});
