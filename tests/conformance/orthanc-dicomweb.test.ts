import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFile } from "#formats/dicom";
import { fileOf, firstValue, retrieve, type Slice, search, sha256, slicesOf, stow } from "../flows/modality.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { noDicomwebPlugin, type Orthanc, startOrthanc } from "./orthanc.fixture.ts";

/*
 * Orthanc's DICOMweb client asks us, fetches from us and sends to us. The other way there is nothing to try: Leadglass asks other archives by
 * DIMSE alone, it is no DICOMweb client.
 */
const skip = noDicomwebPlugin;
let house: RunningHouse;
/** Sends in chunks, and in one piece. */
const peers: Orthanc[] = [];
before(async () => {
  if (skip) return;
  house = await startHouse();
  for (const chunked of [true, false]) peers.push(await clientOf(house, chunked));
});
after(async () => {
  for (const peer of peers) await peer.stop();
  await house?.remove();
});

/** What it makes of our JSON. */
type OrthancTags = Readonly<Record<string, { readonly Value: string }>>;

function clientOf(to: RunningHouse, chunked: boolean): Promise<Orthanc> {
  const server = {
    Url: `https://localhost:${to.https}/dicom-web/`,
    HttpHeaders: { Authorization: `Bearer ${to.token()}` },
    ChunkedTransfers: chunked,
    HasDelete: true,
    HasWadoRsUniversalTransferSyntax: true,
  };
  const settings = { HttpsVerifyPeers: true, HttpsCACertificates: to.ca };
  return startOrthanc(to, { dicomweb: { Servers: { house: server } }, settings });
}

const study = (seed: number): Slice[] => slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed });
const studyOf = (slices: readonly Slice[]) => slices[0]?.studyUid ?? "";
const hashes = (slices: readonly Slice[]) => slices.map((slice) => slice.sha256).sort();

/** SHA-256 of the data sets that Orthanc holds of a study. */
async function heldBy(peer: Orthanc, studyUid: string): Promise<string[]> {
  const query = { Level: "Instance", Query: { StudyInstanceUID: studyUid } };
  const held = await peer.rest<string[]>("POST", "/tools/find", query);
  const files = held.map(async (id) => {
    const answer = await fetch(`http://127.0.0.1:${peer.http}/instances/${id}/file`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    return sha256(bytes.subarray(readFile(bytes).dataSetOffset));
  });
  return (await Promise.all(files)).sort();
}

test("Orthanc's DICOMweb client searches here, by our authority's certificate and a token", { skip }, async () => {
  const slices = study(61);
  assert.equal((await stow(house, slices)).status, 200);
  for (const peer of peers) {
    const found = await peer.rest<OrthancTags[]>("POST", "/dicom-web/servers/house/qido", {
      Uri: "/studies",
      Arguments: { StudyInstanceUID: studyOf(slices), includefield: "StudyDescription" },
    });
    assert.deepEqual(
      found.map((one) => [one["0020000D"]?.Value, one["00081030"]?.Value]),
      [[studyOf(slices), "MR brain"]],
    );
    const listed = await peer.rest<OrthancTags[]>("POST", "/dicom-web/servers/house/qido", {
      Uri: `/studies/${studyOf(slices)}/instances`,
    });
    assert.equal(listed.length, 3);
  }
});

test("Orthanc's DICOMweb client retrieves a study, and holds its bytes as they were stored", { skip }, async () => {
  for (const [at, peer] of peers.entries()) {
    const slices = study(62 + at);
    assert.equal((await stow(house, slices)).status, 200);
    const resources = { Resources: [{ Study: studyOf(slices) }] };
    const job = await peer.job("/dicom-web/servers/house/retrieve", resources);
    assert.equal(job.State, "Success");
    assert.deepEqual(await heldBy(peer, studyOf(slices)), hashes(slices));
  }
});

test("Orthanc's DICOMweb client stores a study here, in chunks and in one piece, twice", { skip }, async () => {
  for (const [at, peer] of peers.entries()) {
    const slices = study(64 + at);
    for (const slice of slices) await peer.rest("POST", "/instances", fileOf(slice));
    const [id] = await peer.rest<string[]>("POST", "/tools/find", {
      Level: "Study",
      Query: { StudyInstanceUID: studyOf(slices) },
    });
    for (const time of ["first", "again"]) {
      const job = await peer.job("/dicom-web/servers/house/stow", { Resources: [id] });
      assert.equal(job.State, "Success", time);
    }
    const [here, ...more] = await search(house, `/studies?StudyInstanceUID=${studyOf(slices)}`);
    assert.deepEqual([firstValue(here, "00201208"), more], [3, []]);
    const got = await Promise.all(slices.map(async (slice) => sha256(await retrieve(house, slice))));
    assert.deepEqual(got.sort(), hashes(slices));
  }
});

test("Orthanc's DICOMweb client deletes a study here, which is then hidden", { skip }, async () => {
  const [peer] = peers;
  const slices = study(66);
  assert.equal((await stow(house, slices)).status, 200);
  await peer?.rest("POST", "/dicom-web/servers/house/delete", { Level: "Study", StudyInstanceUID: studyOf(slices) });
  assert.deepEqual(await search(house, `/studies?StudyInstanceUID=${studyOf(slices)}`), []);
});

test("without a token Orthanc's DICOMweb client is refused", { skip }, async () => {
  const [peer] = peers;
  const other = { Url: `https://localhost:${house.https}/dicom-web/`, HttpHeaders: { Authorization: "Bearer none" } };
  await fetch(`http://127.0.0.1:${peer?.http}/dicom-web/servers/stranger`, {
    method: "PUT",
    body: JSON.stringify(other),
  });
  await assert.rejects(
    peer?.rest("POST", "/dicom-web/servers/stranger/qido", { Uri: "/studies" }) ?? Promise.resolve(),
  );
});
