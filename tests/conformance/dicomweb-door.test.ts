import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { type DicomJson, readFile, TransferSyntaxUid } from "#formats/dicom";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import {
  imageFile,
  multipartBody,
  partsOf,
  seriesUidOf,
  sopUidOf,
  studyUidOf,
  testRoot,
} from "./dicomweb-files.fixture.ts";

const multipart = 'multipart/related; type="application/dicom"; boundary=next';
const asStored = 'multipart/related; type="application/dicom"; transfer-syntax=*';
const study = (number: number) => `/dicom-web/studies/${studyUidOf(number)}`;
const series = (number: number, which = 1) => `${study(number)}/series/${seriesUidOf(number, which)}`;
const instance = (number: number, which = 1, sop = 1) =>
  `${series(number, which)}/instances/${sopUidOf(number, which, sop)}`;

let door: OpenDoor;

const get = (url: string, headers: Record<string, string> = {}) => door.server.inject({ url, headers });
const post = (payload: Buffer, contentType = multipart, url = "/dicom-web/studies", more = {}) =>
  door.server.inject({ method: "POST", url, headers: { "content-type": contentType, ...more }, payload });
const valuesOf = (json: DicomJson | undefined, tag: string) => json?.[tag]?.Value ?? [];
const items = (json: DicomJson | undefined, tag: string) => valuesOf(json, tag) as DicomJson[];

describe("STOW-RS", () => {
  before(async () => {
    door = await openDoor();
  });
  after(() => door.close());

  test("every part is stored and told with where it can be retrieved", async () => {
    const files = [imageFile({ study: 1, sop: 1 }), imageFile({ study: 1, sop: 2 })];
    for (const type of [multipart, "multipart/related; type=application/dicom; boundary=next"]) {
      const answer = await post(multipartBody(files), type);
      assert.equal(answer.statusCode, 200);
      assert.match(String(answer.headers["content-type"]), /^application\/dicom\+json/);
      const json = answer.json() as DicomJson;
      assert.deepEqual(valuesOf(json, "00081190"), [`http://localhost:80${study(1)}`]);
      const stored = items(json, "00081199").map((item) => valuesOf(item, "00081155")[0]);
      assert.deepEqual(stored, [sopUidOf(1, 1, 1), sopUidOf(1, 1, 2)]);
      assert.equal(json["00081198"], undefined);
    }
    const found = (await get(`${study(1)}/instances`)).json() as DicomJson[];
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
    const answer = await post(multipartBody([imageFile({ study: 4 }), imageFile({ study: 5 })]), multipart, study(4));
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
    assert.equal(((await get(`${study(6)}/instances`)).json() as DicomJson[]).length, 1);
  });

  test("compressed bodies, other types and bodies that are no multipart are refused clearly", async () => {
    const body = multipartBody([imageFile({ study: 7 })]);
    assert.equal((await post(gzipSync(body), multipart, undefined, { "content-encoding": "gzip" })).statusCode, 415);
    const metadata = await post(body, 'multipart/related; type="application/dicom+json"; boundary=next');
    assert.equal(metadata.statusCode, 415);
    assert.match((metadata.json() as { remedy: string }).remedy, /application\/dicom/);
    assert.equal((await post(body, "text/plain")).statusCode, 415);
    assert.equal((await post(body, 'multipart/related; type="application/dicom"')).statusCode, 400);
    assert.equal((await post(Buffer.from("no multipart"), multipart)).statusCode, 400);
    assert.equal((await post(Buffer.from("--next--"), multipart)).statusCode, 400);
    assert.equal((await post(multipartBody([Buffer.from("{}")], "next", "application/json"))).statusCode, 409);
  });
});

describe("QIDO-RS", () => {
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
      "00081190": { vr: "UR", Value: [`http://localhost:80${study(2)}`] },
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
    assert.deepEqual(valuesOf(only, "00081190"), [`http://localhost:80${instance(3, 1, 2)}`]);
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
    const [found] = await search(`${series(2, 2).slice(10)}/instances?${list}`);
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
});

describe("WADO-RS", () => {
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
      [study(1), files],
      [series(1), files],
      [instance(1, 1, 2), [files[1]]],
      [instance(3), [implicit]],
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
      const answer = await get(instance(number), { accept: "application/dicom" });
      assert.match(String(answer.headers["content-type"]), /transfer-syntax=1\.2\.840\.10008\.1\.2\.1$/);
      const { dataSet, transferSyntaxUid } = readFile(answer.rawPayload);
      assert.equal(transferSyntaxUid, TransferSyntaxUid.explicitLittleEndian);
      const expected = readFile(imageFile({ study: number })).dataSet;
      assert.deepEqual(
        dataSet.elements.map((element) => [element.tag, dataSet.bytesOf(element)]),
        expected.elements.map((element) => [element.tag, expected.bytesOf(element)]),
      );
    }
    const refused = await get(instance(4), { accept: "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90" });
    assert.equal(refused.statusCode, 406);
    assert.equal((await get(instance(4), { accept: "text/html" })).statusCode, 406);
  });

  test("frames: one, several, by ranges, as a single part", async () => {
    const pixels = readFile(frames).dataSet.bytes(0x7fe00010) ?? new Uint8Array();
    const frame = (number: number) => Buffer.from(pixels.subarray((number - 1) * 128, number * 128));
    const accept = "multipart/related; type=application/octet-stream; transfer-syntax=*";
    const several = await get(`${instance(2)}/frames/3,1`, { accept });
    const parts = partsOf(String(several.headers["content-type"]), several.rawPayload);
    assert.deepEqual(
      parts.map(({ body }) => body),
      [frame(3), frame(1)],
    );
    const single = { accept: "application/octet-stream" };
    assert.deepEqual((await get(`${instance(2)}/frames/2`, single)).rawPayload, frame(2));
    const ranged = await get(`${instance(2)}/frames/2`, { ...single, range: "bytes=10-19" });
    assert.equal(ranged.statusCode, 206);
    assert.equal(ranged.headers["content-range"], "bytes 10-19/128");
    assert.deepEqual(ranged.rawPayload, frame(2).subarray(10, 20));
    const behind = await get(`${instance(2)}/frames/2`, { ...single, range: "bytes=128-" });
    assert.equal(behind.statusCode, 416);
    assert.equal(behind.headers["content-range"], "bytes */128");
    const whole = await get(`${instance(2)}/frames/2`, { accept });
    const half = whole.rawPayload.length >> 1;
    const joined = await Promise.all(
      [`bytes=0-${half - 1}`, `bytes=${half}-`].map((range) => get(`${instance(2)}/frames/2`, { accept, range })),
    );
    assert.deepEqual(Buffer.concat(joined.map((each) => each.rawPayload)), whole.rawPayload);
  });

  test("frames that are not there are 404, lists that are none 400", async () => {
    assert.equal((await get(`${instance(2)}/frames/4`)).statusCode, 404);
    for (const list of ["0", "a", "1,,2", "-1", "1e3", "9999999999"]) {
      assert.equal((await get(`${instance(2)}/frames/${list}`)).statusCode, 400, list);
    }
    assert.equal((await get(`${instance(2)}/frames/${"1,".repeat(500_000)}1`)).statusCode, 414);
    assert.equal((await get(`${instance(2)}/frames/1`, { accept: "image/jpeg" })).statusCode, 406);
  });

  test("metadata at three levels, and every address in it gives the bytes", async () => {
    for (const [url, count] of [
      [study(1), 3],
      [series(1), 3],
      [instance(1, 1, 2), 1],
    ] as const) {
      const plain = await get(`${url}/metadata`);
      const packed = await get(`${url}/metadata`, { "accept-encoding": "gzip" });
      const isPacked = packed.headers["content-encoding"] === "gzip";
      assert.equal(isPacked, url !== instance(1, 1, 2), "one instance is not worth it");
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
    assert.equal((await get(`${study(9)}/metadata`)).statusCode, 404);
    assert.equal((await get(`${instance(1)}/bulkdata/00100010/2/00100010`)).statusCode, 404);
    assert.equal((await get(`${instance(1)}/bulkdata/..%2f..`)).statusCode, 404);
  });

  test("pictures: JPEG unless PNG is wanted, as large as asked, refused out of bounds", async () => {
    const jpeg = await get(`${instance(1)}/rendered?window=30,60,linear&viewport=64,64&quality=50`);
    assert.equal(jpeg.headers["content-type"], "image/jpeg");
    assert.equal(jpeg.rawPayload.readUInt16BE(0), 0xffd8);
    const png = await get(`${instance(1)}/frames/1/rendered`, { accept: "image/png" });
    assert.equal(png.rawPayload.toString("latin1", 1, 4), "PNG");
    for (const url of [study(1), series(1), instance(1), `${instance(2)}/frames/3`]) {
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
      assert.equal((await get(`${instance(1)}/rendered?${query}`)).statusCode, 400, query);
    }
    assert.equal((await get(`${instance(1)}/rendered`, { accept: "image/gif" })).statusCode, 406);
    assert.equal((await get(`${instance(1)}/frames/1,2/rendered`)).statusCode, 400);
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
    const answer = await get(`${instance(8)}/rendered`, { accept: "application/pdf, image/jpeg" });
    assert.equal(answer.headers["content-type"], "application/pdf");
    assert.deepEqual(answer.rawPayload, document);
    assert.equal((await get(`${instance(8)}/thumbnail`)).statusCode, 404);
    assert.equal((await get(`${instance(8)}/frames/1`)).statusCode, 404);
  });

  test("HEAD answers as GET does, without the body", async () => {
    for (const url of [study(1), `${instance(2)}/frames/1`, "/dicom-web/studies", `${series(1)}/metadata`]) {
      const accept = url === study(1) ? asStored : "*/*";
      const full = await get(url, { accept });
      const head = await door.server.inject({ method: "HEAD", url, headers: { accept } });
      assert.equal(head.statusCode, 200, url);
      assert.equal(head.rawPayload.length, 0);
      assert.equal(head.headers["content-type"], full.headers["content-type"]);
    }
  });

  test("what is absent is 404, nothing is cached, and other origins are told nothing", async () => {
    assert.equal((await get(study(99))).statusCode, 404);
    assert.equal((await get(`${study(1)}/series/${testRoot}.9`)).statusCode, 404);
    const answer = await get(study(1), { origin: "https://other.example", accept: asStored });
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    const options = await door.server.inject({ method: "OPTIONS", url: study(1) });
    assert.equal(options.statusCode, 204);
    assert.equal(options.headers.allow, "GET, HEAD, POST, OPTIONS");
  });
});

test("a configured origin may call, and may read refusals too", async () => {
  const origin = "https://viewer.example";
  const open = await openDoor(undefined, { allowedOrigins: [origin] });
  const asked = await open.server.inject({ method: "OPTIONS", url: `${instance(1)}/frames/1`, headers: { origin } });
  assert.equal(asked.headers["access-control-allow-origin"], origin);
  assert.match(String(asked.headers["access-control-allow-headers"]), /Authorization.*Range/);
  const refused = await open.server.inject({ url: study(1), headers: { origin } });
  assert.equal(refused.statusCode, 404);
  assert.equal(refused.headers["access-control-allow-origin"], origin);
  assert.match(String(refused.headers["access-control-expose-headers"]), /Content-Range/);
  const other = await open.server.inject({
    method: "OPTIONS",
    url: study(1),
    headers: { origin: "https://x.example" },
  });
  assert.equal(other.headers["access-control-allow-origin"], undefined);
  await open.close();
});

test("an instance that is not what was received is not given: 500 before the first byte, broken off after it", async () => {
  const large = imageFile({ rows: 512, columns: 512, frames: 4 });
  const open = await openDoor((archive) => ({
    ...archive,
    read: async (actor, target) =>
      (await archive.read(actor, target)).map((held) => ({ ...held, dataSetSha256: "0".repeat(64) })),
  }));
  const store = (payload: Buffer) =>
    open.server.inject({
      method: "POST",
      url: "/dicom-web/studies",
      headers: { "content-type": "application/dicom" },
      payload,
    });
  await store(imageFile({ study: 1 }));
  await store(large);
  const small = await open.server.inject({ url: instance(1), headers: { accept: asStored } });
  assert.equal(small.statusCode, 500);
  await open.close();

  const again = await openDoor((archive) => ({
    ...archive,
    read: async (actor, target) =>
      (await archive.read(actor, target)).map((held) => ({ ...held, dataSetSha256: "0".repeat(64) })),
  }));
  await again.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: large,
  });
  const address = await again.server.listen({ host: "127.0.0.1", port: 0 });
  const answer = await fetch(`${address}${instance(1)}`, { headers: { accept: asStored } });
  assert.equal(answer.status, 200);
  await assert.rejects(answer.arrayBuffer(), "the client sees that it did not get the whole");
  await again.close();
});

test("a client that goes away stops the reading", async () => {
  let read = 0;
  let ended = false;
  const open = await openDoor((archive) => ({
    ...archive,
    read: async (actor, target) =>
      (await archive.read(actor, target)).map((held) => ({
        ...held,
        sizeBytes: 1024 * 1024 * 1024,
        open: async () => ({
          ...(await held.open()),
          async *stream() {
            try {
              for (; read < 1024 * 1024 * 1024; read += 65_536) yield Buffer.alloc(65_536);
            } finally {
              ended = true;
            }
          },
        }),
      })),
  }));
  await open.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": "application/dicom" },
    payload: imageFile(),
  });
  const address = await open.server.listen({ host: "127.0.0.1", port: 0 });
  const stop = new AbortController();
  const answer = await fetch(`${address}${instance(1)}`, { headers: { accept: asStored }, signal: stop.signal });
  await answer.body?.getReader().read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = read;
  assert.ok(before < 64 * 1024 * 1024, `${before} bytes were read for a client that took one piece`);
  stop.abort();
  for (let tries = 0; tries < 100 && !ended; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(ended);
  await open.close();
});
