import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { DicomJson } from "#formats/dicom";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import { dicomParts, imageFile, multipartBody, sopUidOf, studyPath, valuesOf } from "./dicomweb-files.fixture.ts";

let door: OpenDoor;
before(async () => {
  door = await openDoor();
});
after(() => door.close());

const ask = (method: "GET" | "POST" | "DELETE" | "OPTIONS", url: string) => door.server.inject({ method, url });
const store = (...files: Buffer[]) =>
  door.server.inject({
    method: "POST",
    url: "/dicom-web/studies",
    headers: { "content-type": dicomParts },
    payload: multipartBody(files),
  });
const sops = async (url: string, tag = "00080018") =>
  ((await ask("GET", url)).json() as DicomJson[]).map((json) => valuesOf(json, tag)[0]);

test("an instance, a series and a study are deleted from sight, each with its counts", async () => {
  const [one, two] = [sopUidOf(1, 1, 1), sopUidOf(1, 1, 2)];
  await store(imageFile({ study: 1, sop: 1 }), imageFile({ study: 1, sop: 2 }));
  const [seriesUid] = await sops(`${studyPath(1)}/series`, "0020000E");
  const series = `${studyPath(1)}/series/${seriesUid}`;
  assert.equal((await ask("DELETE", `${series}/instances/${two}`)).statusCode, 204);
  assert.deepEqual(await sops(`${studyPath(1)}/instances`), [one]);
  assert.deepEqual(await sops(`${series}/metadata`), [one]);
  assert.deepEqual(await sops(studyPath(1).replace("/studies/", "/studies?StudyInstanceUID="), "00201208"), [1]);
  for (const path of ["", "/metadata", "/frames/1", "/rendered", "/bulkdata/7FE00010"]) {
    assert.equal((await ask("GET", `${series}/instances/${two}${path}`)).statusCode, 404, path);
  }
  assert.equal((await ask("DELETE", `${series}/instances/${two}`)).statusCode, 404, "there is nothing any more");
  assert.equal((await ask("DELETE", series)).statusCode, 204);
  assert.deepEqual(await sops(studyPath(1).replace("/studies/", "/studies?StudyInstanceUID=")), []);
  assert.equal((await ask("GET", studyPath(1))).statusCode, 404);
  assert.match(String((await ask("OPTIONS", studyPath(1))).headers.allow), /DELETE/);
});

test("what was rejected for a reason is listed with it, and shown again by dcm4chee's code", async () => {
  await store(imageFile({ study: 2, sop: 1 }), imageFile({ study: 2, sop: 2 }));
  const rejected = await ask("POST", `${studyPath(2)}/reject/113037%5EDCM`);
  assert.deepEqual([rejected.statusCode, rejected.json()], [200, { count: 2 }]);
  const list = (await ask("GET", `${studyPath(2)}/rejected`)).json() as DicomJson[];
  assert.deepEqual(
    list.map((json) => (valuesOf(json, "0040A043")[0] as DicomJson)["00080100"]?.Value?.[0]),
    ["113037", "113037"],
  );
  const back = await ask("POST", `${studyPath(2)}/reject/REVOKE_REJECTION^99DCM4CHEE`);
  assert.deepEqual([back.statusCode, back.json()], [200, { count: 2 }]);
  assert.equal((await sops(`${studyPath(2)}/instances`)).length, 2);
  assert.deepEqual((await ask("GET", `${studyPath(2)}/rejected`)).json(), []);
});

test("a code that is none is answered 400, one that is no reason 501, and nothing is hidden", async () => {
  await store(imageFile({ study: 3 }));
  for (const [code, status] of [
    ["113001", 400],
    ["^DCM", 400],
    ["113001^DCM^x", 400],
    ["113000^DCM", 501],
    ["__proto__^DCM", 501],
  ] as const) {
    assert.equal((await ask("POST", `${studyPath(3)}/reject/${encodeURIComponent(code)}`)).statusCode, status, code);
  }
  assert.equal((await sops(`${studyPath(3)}/instances`)).length, 1);
});
