import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArchiveStudyView, TransferView } from "#formats/api";
import { fileOf, type Slice, search, slicesOf, storeAll } from "../flows/modality.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { noOrthanc, type Orthanc, startOrthanc } from "./orthanc.fixture.ts";

/* Debian's Orthanc as the other archive, both ways, with real processes: C-STORE, C-FIND, C-MOVE, C-GET, storage commitment. */

let house: RunningHouse;
let orthanc: Orthanc;
before(async () => {
  if (noOrthanc) return;
  house = await startHouse();
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  orthanc = await startOrthanc(house);
});
after(async () => {
  await orthanc?.stop();
  await house?.remove();
});

const study = (seed: number) => slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed });
const uidsOf = (slices: readonly Slice[]) => slices.map(({ sopInstanceUid }) => sopInstanceUid).sort();

/** A study that a modality has stored here, and its token. */
async function storedHere(seed: number): Promise<{ slices: Slice[]; token: string }> {
  const slices = study(seed);
  await storeAll(house, slices);
  const { studies } = JSON.parse(
    await (await house.fetch("/api/studies/search", json({ search: "", limit: 200 }))).text(),
  ) as { studies: { token: string; studyUid: string }[] };
  const found = studies.find(({ studyUid }) => studyUid === slices[0]?.studyUid);
  assert.ok(found);
  return { slices, token: found.token };
}

const json = (body: object) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** SHA-256 of the data sets that Orthanc holds of a study, by SOP Instance UID. */
async function heldByOrthanc(studyUid: string): Promise<Map<string, string>> {
  const found = await orthanc.rest<string[]>("POST", "/tools/find", {
    Level: "Instance",
    Query: { StudyInstanceUID: studyUid },
  });
  const held = new Map<string, string>();
  for (const id of found) {
    const tags = await orthanc.rest<Record<string, string>>("GET", `/instances/${id}/simplified-tags`);
    held.set(tags.SOPInstanceUID ?? "", id);
  }
  return held;
}

async function giveOrthanc(slices: readonly Slice[]): Promise<void> {
  for (const slice of slices) await orthanc.rest("POST", "/instances", fileOf(slice));
}

const transfers = () => JSON.parse(house.command(["transfers", "--json"])) as TransferView[];

async function untilOver(kind: string, study?: string): Promise<TransferView> {
  for (;;) {
    const found = transfers().find((one) => one.kind === kind && (study === undefined || one.study === study));
    if (found !== undefined && found.state !== "waiting" && found.state !== "running") return found;
    await sleep(300);
  }
}

test("a study is sent to Orthanc, which then keeps it and says so", { skip: noOrthanc }, async () => {
  const { slices, token } = await storedHere(1);
  const sent = JSON.parse(house.command(["send", token, "--to", "ORTHANC", "--commit", "--json"])) as TransferView;
  assert.deepEqual([sent.state, sent.progress], ["done", { done: 3, of: 3 }]);
  assert.deepEqual([...(await heldByOrthanc(slices[0]?.studyUid ?? "")).keys()].sort(), uidsOf(slices));
  const asked = await untilOver("commitment-ask", token);
  assert.deepEqual([asked.state, asked.problem], ["done", undefined]);
});

test("Orthanc sends a study here, asks whether it is kept, and is told", { skip: noOrthanc }, async () => {
  const slices = study(2);
  await giveOrthanc(slices);
  const [id] = await orthanc.rest<string[]>("POST", "/tools/find", {
    Level: "Study",
    Query: { StudyInstanceUID: slices[0]?.studyUid },
  });
  const job = await orthanc.job("/modalities/LG/store", { Resources: [id], StorageCommitment: true });
  assert.equal(job.State, "Success");
  const transaction = job.Content.StorageCommitmentTransactionUID;
  for (;;) {
    const report = await orthanc.rest<{ Status: string; Success: unknown[]; Failures: unknown[] }>(
      "GET",
      `/storage-commitment/${transaction}`,
    );
    if (report.Status === "Pending") {
      await sleep(200);
      continue;
    }
    assert.deepEqual([report.Status, report.Success.length, report.Failures.length], ["Success", 3, 0]);
    break;
  }
  const here = await search(house, `/studies/${slices[0]?.studyUid}/instances`);
  assert.equal(here.length, 3);
  const unknown = await orthanc.rest<{ ID: string; Path: string }>("POST", "/modalities/LG/storage-commitment", {
    DicomInstances: [{ SOPClassUID: slices[0]?.sopClassUid, SOPInstanceUID: "1.2.3.4.5" }],
  });
  for (;;) {
    const report = await orthanc.rest<{ Status: string; Failures: { FailureReason: number }[] }>("GET", unknown.Path);
    if (report.Status !== "Pending") {
      assert.deepEqual([report.Status, report.Failures[0]?.FailureReason], ["Failure", 0x0112]);
      break;
    }
    await sleep(200);
  }
});

test("Orthanc is searched and a study fetched from it, as it holds it", { skip: noOrthanc }, async () => {
  const slices = study(3);
  await giveOrthanc(slices);
  const studyUid = slices[0]?.studyUid ?? "";
  const query = JSON.stringify({ StudyInstanceUID: studyUid });
  const found = JSON.parse(house.command(["find", "--at", "ORTHANC", "--json"], query)) as ArchiveStudyView[];
  assert.deepEqual(
    found.map((one) => one.StudyInstanceUID),
    [studyUid],
  );
  const fetched = JSON.parse(house.command(["fetch", "--from", "ORTHANC", "--json"], query)) as TransferView;
  assert.equal(fetched.state, "done");
  const here = await search(house, `/studies/${studyUid}/instances`);
  assert.equal(here.length, 3);
  const missing = house.tryCommand(["fetch", "--from", "ORTHANC"], JSON.stringify({ StudyInstanceUID: "1.2.3.4" }));
  assert.notEqual(missing.status, 0);
  assert.match(missing.stderr, /no such study/);
});

test("Orthanc searches here and has a study sent to itself", { skip: noOrthanc }, async () => {
  const { slices } = await storedHere(4);
  const studyUid = slices[0]?.studyUid ?? "";
  const query = { Level: "Study", Query: { StudyInstanceUID: studyUid } };
  const asked = await orthanc.rest<{ ID: string }>("POST", "/modalities/LG/query", query);
  assert.deepEqual(await orthanc.rest("GET", `/queries/${asked.ID}/answers`), ["0"]);
  const job = await orthanc.job(`/queries/${asked.ID}/retrieve`, { TargetAet: "ORTHANC" });
  assert.equal(job.State, "Success");
  assert.deepEqual([...(await heldByOrthanc(studyUid)).keys()].sort(), uidsOf(slices));
});

test("a machine that is not registered is not sent to", { skip: noOrthanc }, async () => {
  const { token } = await storedHere(6);
  const answer = house.tryCommand(["send", token, "--to", "NOBODY"]);
  assert.notEqual(answer.status, 0);
  assert.match(answer.stderr, /no machine of that title/);
});
