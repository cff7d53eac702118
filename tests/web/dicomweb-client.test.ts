import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { DicomJson } from "#formats/dicom";
import { fileOf, firstValue, search, sha256, slicesOf, stow } from "../flows/modality.fixture.ts";
import { type RunningHouse, root, startHouse } from "../house/index.ts";
import { type Browser, noBrowser, openBrowser, siteOf } from "./browser.fixture.ts";

/*
 * The client library that OHIF and others are built on, as it is published, on a page of another origin: each of its calls.
 */
const library = readFileSync(join(root, "node_modules", "dicomweb-client", "build", "dicomweb-client.js"));
const head = slicesOf({ kind: "ct-head", slices: 4, size: 64, seed: 31 });
const brain = slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed: 32 });
const [slice] = head;
assert.ok(slice);

let house: RunningHouse;
let browser: Browser;
const pages = createServer((request, response) => {
  if (request.url === "/library.js") return response.setHeader("content-type", "text/javascript").end(library);
  return response.setHeader("content-type", "text/html").end("<!doctype html><script src=/library.js></script>");
});

before(async () => {
  if (noBrowser !== false) return;
  house = await startHouse();
  assert.equal((await stow(house, head)).status, 200);
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  house.command(["client", "add", "page", "--public", "--redirect", `${origin}/callback`]);
  browser = await openBrowser();
  await browser.page.goto(origin);
});
after(async () => {
  await browser?.remove();
  pages.close();
  await house?.remove();
});

/** One call of the client in the page; bytes come back in base64. */
async function call<T>(method: string, options: object): Promise<T> {
  const asked = { url: `${siteOf(house)}/dicom-web`, token: house.token(), method, options };
  const answer = await browser.page.evaluate(async ({ url, token, method: name, options: given }) => {
    const { api } = (
      globalThis as unknown as { DICOMwebClient: { api: { DICOMwebClient: new (o: object) => object } } }
    ).DICOMwebClient;
    const client = new api.DICOMwebClient({ url, headers: { Authorization: `Bearer ${token}` } });
    const told = async (value: unknown): Promise<unknown> => {
      if (Array.isArray(value)) return Promise.all(value.map(told));
      const isBytes = value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value instanceof Blob;
      if (!isBytes) return value;
      const bytes = new Uint8Array(await new Response(value as BodyInit).arrayBuffer());
      return { base64: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) };
    };
    const decoded = (value: unknown): unknown =>
      typeof value === "string" && value.startsWith("base64:")
        ? Uint8Array.from(atob(value.slice(7)), (letter) => letter.charCodeAt(0)).buffer
        : value;
    const fields = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, Array.isArray(value) ? value.map(decoded) : value]),
    );
    const run = (client as Record<string, (o: object) => Promise<unknown>>)[name];
    if (run === undefined) throw new Error(`the client has no ${name}`);
    return told(await run.call(client, fields));
  }, asked);
  return answer as T;
}

const bytesOf = ({ base64 }: { base64: string }) => Buffer.from(base64, "base64");
const dataSetOf = (file: Buffer) => sha256(file.subarray(file.length - (slice?.dataSet.length ?? 0)));
const study = { studyInstanceUID: slice.studyUid };
const series = { ...study, seriesInstanceUID: slice.seriesUid };
const instance = { ...series, sopInstanceUID: slice.sopInstanceUid };

test("dicomweb-client searches studies, series and instances", { skip: noBrowser }, async () => {
  const [found, ...others] = await call<DicomJson[]>("searchForStudies", {
    queryParams: { StudyInstanceUID: slice.studyUid, includefield: "StudyDescription", limit: 5 },
  });
  assert.equal(others.length, 0);
  assert.equal(firstValue(found ?? {}, "00201208"), head.length);
  assert.deepEqual(await call("searchForStudies", { queryParams: { PatientName: "nobody*" } }), []);
  const listed = await call<DicomJson[]>("searchForSeries", study);
  assert.deepEqual(
    listed.map((each) => firstValue(each, "0020000E")),
    [slice.seriesUid],
  );
  assert.equal((await call<DicomJson[]>("searchForInstances", series)).length, head.length);
});

test("dicomweb-client reads metadata of a study, a series and an instance", { skip: noBrowser }, async () => {
  assert.equal((await call<DicomJson[]>("retrieveStudyMetadata", study)).length, head.length);
  assert.equal((await call<DicomJson[]>("retrieveSeriesMetadata", series)).length, head.length);
  const metadata = await call<DicomJson | DicomJson[]>("retrieveInstanceMetadata", instance);
  const [one] = Array.isArray(metadata) ? metadata : [metadata];
  assert.equal(firstValue(one ?? {}, "00080018"), slice.sopInstanceUid);
});

test("dicomweb-client gets instances bit for bit, alone and by the series and study", { skip: noBrowser }, async () => {
  assert.equal(dataSetOf(bytesOf(await call("retrieveInstance", instance))), slice.sha256);
  for (const [method, options] of [
    ["retrieveSeries", series],
    ["retrieveStudy", study],
  ] as const) {
    const files = (await call<{ base64: string }[]>(method, options)).map(bytesOf);
    assert.deepEqual(files.map(dataSetOf).sort(), head.map(({ sha256: hash }) => hash).sort(), method);
  }
});

test("dicomweb-client gets frames, pictures and thumbnails", { skip: noBrowser }, async () => {
  const frames = await call<{ base64: string }[]>("retrieveInstanceFrames", { ...instance, frameNumbers: [1] });
  assert.deepEqual(
    frames.map(bytesOf).map(({ length }) => length),
    [64 * 64 * 2],
  );
  const one = { ...instance, frameNumbers: [1] };
  for (const [method, options] of [
    ["retrieveInstanceRendered", instance],
    ["retrieveInstanceThumbnail", instance],
    ["retrieveInstanceFramesRendered", one],
    ["retrieveInstanceFramesThumbnail", one],
  ] as const) {
    const pictures = await call<{ base64: string }[]>(method, {
      ...options,
      mediaTypes: [{ mediaType: "image/jpeg" }],
    });
    const [picture = Buffer.alloc(0)] = pictures.map(bytesOf);
    assert.equal(picture.subarray(0, 3).toString("hex"), "ffd8ff", method);
  }
});

test("dicomweb-client stores instances", { skip: noBrowser }, async () => {
  const datasets = brain.map((each) => `base64:${fileOf(each).toString("base64")}`);
  await call("storeInstances", { datasets });
  assert.equal((await search(house, `/studies/${brain[0]?.studyUid}/instances`)).length, brain.length);
});
