import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { isProblem } from "#base/problem";
import { type DicomJson, readFile, Tag } from "#formats/dicom";
import { actorOf, actsOfScopes, operator } from "#trust/access";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openArchive } from "./archive.fixture.ts";
import { imageFile, receive } from "./corrections.fixture.ts";
import type { Archive, ReadTarget, StoredInstance } from "./index.ts";
import { rejectionTitleOf, writeNote } from "./rejection-notes.ts";

const quality = { code: "113001", scheme: "DCM" };
const back = { code: "REVOKE_REJECTION", scheme: "99DCM4CHEE" };
const device = actorOf("device", "1");
const all = { matches: [], limit: 100, offset: 0 };

const instancesOf = async (archive: Archive) =>
  (await archive.findInstances(operator, all)).map(({ sopUid }) => sopUid).sort();

/** A note as another system would send it. */
function noteOf(named: readonly StoredInstance[], code = "113037", sop = "1"): Uint8Array {
  const title = rejectionTitleOf(code, "DCM");
  assert.ok(title);
  return writeNote({
    ...{ title, study: {}, named, at: 0, implementation: { classUid: "2.25.1", version: "X" } },
    ...{ studyUid: named[0]?.studyUid ?? "", seriesUid: "2.25.77", sopUid: `2.25.77.${sop}` },
  });
}

const isAbsent = (error: unknown) => isProblem(error, "absent");

test("what is rejected is found, listed, shown and read no more, and comes back when that is taken back", async () => {
  const { archive, entries } = await openArchive();
  const [one, two] = [await receive(archive, imageFile()), await receive(archive, imageFile({}, { number: 2 }))];
  assert.equal(await archive.reject(operator, two, quality), 1);
  assert.deepEqual(await instancesOf(archive), [one.sopUid]);
  const [study] = await archive.findStudies(operator, all);
  assert.deepEqual([study?.seriesCount, study?.instanceCount, study?.rejectedCount], [1, 1, 2]);
  await assert.rejects(archive.read(operator, two), isAbsent);
  await assert.rejects(archive.images(operator, two), isAbsent);
  const json = gunzipSync(await archive.seriesMetadata(operator, one.studyUid, one.seriesUid)).toString();
  assert.deepEqual(
    (JSON.parse(json) as DicomJson[]).map((object) => object["00080018"]?.Value?.[0]),
    [one.sopUid],
  );
  const [rejected] = await archive.rejected(operator, one.studyUid);
  assert.deepEqual([rejected?.sopUid, rejected?.seriesUid, rejected?.code], [two.sopUid, two.seriesUid, "113001"]);
  assert.equal(await archive.reject(operator, { studyUid: one.studyUid }, back), 1);
  assert.deepEqual(await instancesOf(archive), [one.sopUid, two.sopUid].sort());
  assert.deepEqual(await archive.rejected(operator, one.studyUid), []);
  assert.equal((await archive.read(operator, two)).length, 1);
  const acts = entries.filter(({ act }) => act === "study.reject").map(({ outcome }) => outcome);
  assert.deepEqual(acts, ["done", "done", "done", "done"]);
});

test("a study that is rejected whole is absent for everybody, and a rebuild hides it again", async () => {
  const { archive, stores } = await openArchive();
  const stored = await receive(archive, imageFile());
  await receive(archive, imageFile({}, { study: "2" }));
  await archive.reject(operator, { studyUid: stored.studyUid }, { ...quality, code: "113039" });
  for (const target of [{ studyUid: stored.studyUid }, stored] as ReadTarget[]) {
    await assert.rejects(archive.read(operator, target), isAbsent);
    await assert.rejects(archive.images(operator, target), isAbsent);
  }
  await assert.rejects(archive.seriesMetadata(operator, stored.studyUid, stored.seriesUid), isAbsent);
  await assert.rejects(archive.reject(operator, stored, quality), isAbsent);
  assert.equal((await archive.listStudies(operator, all)).total.count, 1);
  assert.equal(
    (await receive(archive, imageFile())).sopUid,
    stored.sopUid,
    "sent again it is stored, and hidden still",
  );
  await archive.rebuild(operator, () => {});
  assert.equal((await archive.findStudies(operator, all)).length, 1);
  assert.equal((await archive.rejected(operator, stored.studyUid)).length, 1);
  await archive.reject(operator, { studyUid: stored.studyUid }, back);
  await archive.rebuild(operator, () => {});
  assert.equal((await archive.findStudies(operator, all)).length, 2);
  const other = await openArchive({ stores });
  await other.archive.recover();
  assert.equal((await other.archive.findStudies(operator, all)).length, 2);
});

test("a rejection note that a machine sends hides what it names, also what comes after it", async () => {
  const { archive, entries } = await openArchive();
  const { studyUid, seriesUid, sopClassUid } = await receive(archive, imageFile());
  const later = {
    studyUid,
    seriesUid,
    sopClassUid,
    sopUid: readFile(imageFile({}, { number: 2 })).dataSet.text(Tag.SOPInstanceUID) ?? "",
  };
  await receive(archive, noteOf([later]), device);
  await receive(archive, imageFile({}, { number: 2 }), device);
  assert.equal((await instancesOf(archive)).length, 1);
  const of = entries.filter(({ act }) => act === "study.reject").map(({ actor, on }) => [actor, on?.kind]);
  assert.deepEqual(of, [["device:1", "study"]]);
});

test("a key object selection with another title hides nothing, and a note that names nothing is refused", async () => {
  const { archive } = await openArchive();
  const stored = await receive(archive, imageFile());
  const other = Buffer.from(noteOf([stored]).map((byte) => byte));
  other.write("113000", other.indexOf("113037"), "latin1");
  await receive(archive, other);
  assert.equal((await instancesOf(archive)).length, 2);
  const nothing = Buffer.from(noteOf([{ ...stored, sopUid: "" }], "113037", "2"));
  await assert.rejects(receive(archive, nothing), (error: unknown) => isProblem(error, "invalid"));
});

test("who may store but not reject there has a note refused, with nothing of it kept", async () => {
  const user = actorOf("user", "1", { scope: { acts: ["instance.store"], places: [] } });
  const { archive, entries } = await openArchive({ policy: policyWhere({ [user.id]: ["technologist"] }) });
  const stored = await receive(archive, imageFile());
  await assert.rejects(archive.reject(user, stored, quality), (error: unknown) => isProblem(error, "denied"));
  await assert.rejects(archive.rejected(user, stored.studyUid), (error: unknown) => isProblem(error, "denied"));
  await assert.rejects(receive(archive, noteOf([stored]), user), (error: unknown) => isProblem(error, "denied"));
  assert.equal((await instancesOf(archive)).length, 1);
  assert.equal(entries.filter(({ act, outcome }) => act === "instance.store" && outcome === "done").length, 1);
});

test("a program whose token may write studies has a note of it taken", async () => {
  const acts = actsOfScopes(["dicomweb.write"], "program", false);
  const program = actorOf("client", "1", { scope: { acts, places: [] } });
  const { archive } = await openArchive({ policy: policyWhere({ [program.id]: ["service"] }) });
  const stored = await receive(archive, imageFile(), program);
  await receive(archive, noteOf([stored]), program);
  assert.deepEqual(await instancesOf(archive), []);
});

test("a reason that is none is refused before anything is done", async () => {
  const { archive } = await openArchive();
  const stored = await receive(archive, imageFile());
  for (const reason of [
    { ...quality, code: "113000" },
    { ...quality, scheme: "99X" },
  ]) {
    await assert.rejects(archive.reject(operator, stored, reason), (error: unknown) => isProblem(error, "unsupported"));
  }
});
