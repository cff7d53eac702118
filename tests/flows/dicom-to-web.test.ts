import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isProblem } from "#base/problem";
import type { DeviceView, StudyPage, VaultReport, WaitingView } from "#formats/api";
import { elementsOf, type KeywordDataSet, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { phantomStudy } from "#imaging/phantoms";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import {
  associate,
  fileOf,
  firstValue,
  retrieve,
  type Slice,
  search,
  sha256,
  sliceOf,
  slicesOf,
  store,
  storeAll,
  storescu,
  stow,
  wholeLog,
} from "./modality.fixture.ts";

/*
 * The main road, on a real server as a person starts it: a machine calls, is admitted, stores; the images are found, come back
 * as they were sent, and the log says so.
 */
const noDcmtk = has("storescu") ? false : "needs dcmtk: apt install dcmtk";
let house: RunningHouse;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lg-files-"));
  house = await startHouse();
});
after(async () => {
  await house?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A small study of its own for each test: nothing one stores is another's. */
const study = (seed: number, slices = 3) => slicesOf({ kind: "mr-brain", slices, size: 64, seed });

function asFiles(slices: readonly Slice[]): string[] {
  return slices.map((slice) => {
    const path = join(folder, `${slice.sopInstanceUid}.dcm`);
    writeFileSync(path, fileOf(slice));
    return path;
  });
}

const devices = (): { devices: DeviceView[]; waiting: WaitingView[] } =>
  JSON.parse(house.command(["device", "list", "--json"]));
const admit = (ae: string) => house.command(["device", "add", ae, "--address", "127.0.0.1"]);
const findStudy = (studyUid: string) => search(house, `/studies?StudyInstanceUID=${studyUid}&includefield=00201208`);
const findInstances = (studyUid: string) => search(house, `/studies/${studyUid}/instances`);

async function assertHeldOnce(slices: readonly Slice[]): Promise<void> {
  const listed = (await findInstances(slices[0]?.studyUid ?? "")).map((json) => firstValue(json, "00080018"));
  assert.deepEqual(listed.sort(), slices.map(({ sopInstanceUid }) => sopInstanceUid).sort());
  for (const slice of slices) assert.equal(sha256(await retrieve(house, slice)), slice.sha256);
}

test("an unknown machine is rejected and waits; admitted, it stores, and the images come back bit for bit", {
  skip: noDcmtk,
}, async () => {
  const slices = study(11, 4);
  const files = asFiles(slices);
  const rejected = await storescu(house, files, "SCANNER");
  assert.notEqual(rejected.code, 0);
  assert.match(rejected.output, /Calling AE Title Not Recognized/);
  const [waiting] = devices().waiting;
  assert.deepEqual([waiting?.ae, waiting?.address, waiting?.attempts], ["SCANNER", "127.0.0.1", 1]);
  assert.deepEqual(await findStudy(slices[0]?.studyUid ?? ""), []);

  admit("SCANNER");
  const accepted = await storescu(house, files, "SCANNER");
  assert.equal(accepted.code, 0, accepted.output);
  assert.ok((devices().devices.find(({ ae }) => ae === "SCANNER")?.lastSeenAt ?? 0) > 0);
  const [found, ...others] = await findStudy(slices[0]?.studyUid ?? "");
  assert.deepEqual(others, []);
  assert.equal(firstValue(found, "00201208"), 4);
  assert.deepEqual(firstValue(found, "00100010"), { Alphabetic: "PHANTOM^BRAIN" });
  await assertHeldOnce(slices);
});

test("a machine that was admitted under another name or calls us by another name is rejected", async () => {
  admit("CT2");
  for (const proposal of [{ callingAe: "ct2" }, { callingAe: "CT2 X" }]) {
    await assert.rejects(associate(house, study(12, 1), proposal.callingAe), (error) => isProblem(error, "denied"));
  }
  const association = await associate(house, study(12, 1), "CT2");
  await association.release();
});

test("a removed machine is rejected from then on", async () => {
  admit("CT3");
  await (await associate(house, study(13, 1), "CT3")).release();
  house.command(["device", "remove", "CT3"]);
  await assert.rejects(associate(house, study(13, 1), "CT3"), (error) => isProblem(error, "denied"));
});

test("the log has one entry for each act and names nobody", async () => {
  const slices = study(14, 5);
  admit("CT4");
  const before = (await wholeLog(house)).length;
  await storeAll(house, slices, "CT4");
  await findStudy(slices[0]?.studyUid ?? "");
  await retrieve(house, slices[0] as Slice);
  const log = await wholeLog(house);
  const entries = log.slice(before);
  const count = (act: string) => entries.filter((entry) => entry.act === act && entry.outcome === "done").length;
  assert.equal(count("association.open"), 1);
  assert.equal(count("instance.store"), slices.length);
  assert.equal(count("study.search"), 1);
  assert.equal(count("study.read"), 1);
  assert.equal(new Set(entries.filter(({ act }) => act === "instance.store").map(({ on }) => on?.id)).size, 5);
  const text = JSON.stringify(log);
  const [slice] = slices as [Slice];
  for (const name of ["PHANTOM", "PH000014", "A000014", slice.studyUid, slice.seriesUid, slice.sopInstanceUid]) {
    assert.ok(!text.includes(name), `the log holds ${name}`);
  }
});

test("an instance that is sent again is there once", async () => {
  const slices = study(15);
  admit("CT1");
  await storeAll(house, slices);
  await storeAll(house, slices);
  assert.equal((await stow(house, slices)).status, 200);
  await assertHeldOnce(slices);
});

test("the same SOP Instance UID with other bytes: both are kept, the first is served, the conflict is shown", async () => {
  const [slice] = study(16, 1) as [Slice];
  const [instance] = [...phantomStudy({ kind: "mr-brain", slices: 1, size: 64, seed: 16 })];
  const otherPixels = new Uint8Array(instance?.frames[0] ?? []).reverse();
  const other = sliceOf({ ...instance?.attributes, PixelData: otherPixels } as KeywordDataSet);
  assert.equal(other.sopInstanceUid, slice.sopInstanceUid);
  assert.notEqual(other.sha256, slice.sha256);
  admit("CT1");
  const objects = () => JSON.parse(house.command(["vault", "check", "--json"])) as VaultReport;
  const before = objects();
  await storeAll(house, [slice, other]);
  assert.equal(sha256(await retrieve(house, slice)), slice.sha256);
  const page = (await (await house.fetch("/api/studies?limit=200")).json()) as StudyPage;
  assert.equal(page.studies.find(({ studyUid }) => studyUid === slice.studyUid)?.conflictCount, 1);
  const now = objects();
  assert.ok(now.conflicts > before.conflicts);
  assert.ok(now.objects >= before.objects + 2);
});

test("a data set without a Study Instance UID gets C000 and a comment, and the association lives on", async () => {
  const [slice] = study(17, 1) as [Slice];
  const [instance] = [...phantomStudy({ kind: "mr-brain", slices: 1, size: 64, seed: 17 })];
  const { StudyInstanceUID: _, ...rest } = instance?.attributes ?? {};
  const { transferSyntaxUid } = slice;
  const bad = writeDataSet(elementsOf({ ...rest, PixelData: instance?.frames[0] }), { transferSyntaxUid });
  admit("CT1");
  const association = await associate(house, [slice]);
  const { status, errorComment } = await association.store({ ...slice, dataSet: [bad] });
  assert.equal(status & 0xf000, 0xc000);
  assert.match(errorComment ?? "", /Study Instance UID/);
  const cut = await association.store({ ...slice, dataSet: [slice.dataSet.subarray(0, 2_000)] });
  assert.equal(cut.status & 0xf000, 0xc000);
  assert.deepEqual(await findStudy(slice.studyUid), []);
  assert.equal(await store(association, slice), 0);
  await association.release();
  await assertHeldOnce([slice]);
});

test("STOW-RS and import bring what C-STORE brings", async () => {
  const stowed = study(18);
  const answer = await stow(house, stowed);
  assert.equal(answer.status, 200, await answer.clone().text());
  await assertHeldOnce(stowed);
  const imported = study(19);
  const done = JSON.parse(house.command(["import", "--json", ...asFiles(imported)]));
  assert.deepEqual(done, { stored: 3, scheduled: 0, refused: 0 });
  await assertHeldOnce(imported);
});

test("implicit and big endian data sets come back as they were sent", async () => {
  const { implicitLittleEndian, explicitBigEndian } = TransferSyntaxUid;
  for (const [seed, transferSyntaxUid] of [[20, implicitLittleEndian] as const, [21, explicitBigEndian] as const]) {
    const [instance] = [...phantomStudy({ kind: "mr-brain", slices: 1, size: 64, seed })];
    const attributes = { ...instance?.attributes, PixelData: instance?.frames[0] } as KeywordDataSet;
    const dataSet = writeDataSet(elementsOf(attributes), { transferSyntaxUid });
    const slice = { ...sliceOf(attributes), transferSyntaxUid, dataSet, sha256: sha256(dataSet) };
    assert.equal((await stow(house, [slice])).status, 200);
    await assertHeldOnce([slice]);
  }
});
