import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  fileOf,
  firstValue,
  type Slice,
  search,
  sliceOf,
  slicesOf,
  storeAll,
  storescu,
} from "../flows/modality.fixture.ts";
import { has, type RunningHouse, startHouse } from "../house/index.ts";

/*
 * Imaging Object Change Management (IHE RAD) with peers: a machine sends a rejection note, and what it names is there for nobody.
 */
let house: RunningHouse;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lg-notes-"));
  house = await startHouse();
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
});
after(async () => {
  await house?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** As a change requester writes it: a Key Object Selection with a title of CID 7011. */
function noteOf(slice: Slice, code: string): Slice {
  const reference = { ReferencedSOPClassUID: slice.sopClassUid, ReferencedSOPInstanceUID: slice.sopInstanceUid };
  return sliceOf({
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.88.59",
    SOPInstanceUID: `${slice.seriesUid}.77.${code}`,
    StudyInstanceUID: slice.studyUid,
    SeriesInstanceUID: `${slice.seriesUid}.77`,
    Modality: "KO",
    ValueType: "CONTAINER",
    ConceptNameCodeSequence: [{ CodeValue: code, CodingSchemeDesignator: "DCM", CodeMeaning: "rejected" }],
    CurrentRequestedProcedureEvidenceSequence: [
      {
        StudyInstanceUID: slice.studyUid,
        ReferencedSeriesSequence: [{ SeriesInstanceUID: slice.seriesUid, ReferencedSOPSequence: [reference] }],
      },
    ],
  });
}

const countOf = async (studyUid: string) =>
  (await search(house, `/studies?StudyInstanceUID=${studyUid}`)).map((study) => firstValue(study, "00201208"))[0];

test("a note that storescu sends hides an image from QIDO, C-FIND and C-GET, and DELETE hides the rest", async (t) => {
  if (!has("storescu")) return t.skip("needs dcmtk: apt install dcmtk");
  const slices = slicesOf({ kind: "mr-brain", slices: 3, size: 32, seed: 113 });
  const [first] = slices;
  assert.ok(first);
  await storeAll(house, slices, "CT1");
  assert.equal(await countOf(first.studyUid), 3);
  const path = join(folder, "note.dcm");
  writeFileSync(path, fileOf(noteOf(first, "113037")));
  await storescu(house, [path], "CT1");
  assert.equal(await countOf(first.studyUid), 2);
  const at = ["-aec", "LEADGLASS", "-aet", "CT1", "127.0.0.1", String(house.dicom)];
  const study = ["-k", `StudyInstanceUID=${first.studyUid}`];
  const find = ["-S", "-k", "QueryRetrieveLevel=STUDY", ...study, "-k", "NumberOfStudyRelatedInstances"];
  const found = spawnSync("findscu", [...at, ...find], { encoding: "utf8" });
  assert.match(found.stdout + found.stderr, /\(0020,1208\) IS \[2/);
  const got = mkdtempSync(join(folder, "got-"));
  execFileSync("getscu", [...at, "-S", "-k", "QueryRetrieveLevel=STUDY", ...study, "-od", got], { stdio: "ignore" });
  assert.equal(readdirSync(got).length, 2);
  const answer = await house.fetch(`/dicom-web/studies/${first.studyUid}`, { method: "DELETE" });
  assert.equal(answer.status, 204);
  assert.equal(await countOf(first.studyUid), undefined);
});
