import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { namedMax, readNote, rejectionTitles, writeNote } from "./rejection-notes.ts";

const haveDciodvfy = process.env.PATH?.split(":").some((folder) => existsSync(join(folder, "dciodvfy"))) ?? false;
const study = { PatientName: "Müller^Jörg", PatientID: "1", StudyDate: "20240131", StudyTime: "10", StudyID: "7" };
const note = {
  ...{ study, studyUid: "1.2", seriesUid: "2.25.1", sopUid: "2.25.2", at: 0 },
  implementation: { classUid: "2.25.3", version: "X" },
};
const namedOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    ...{ seriesUid: `1.2.3.${at % 3}`, sopUid: `1.2.3.9.${at}` },
    sopClassUid:
      ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.9.1.1"][at % 3] ?? "",
  }));

test("what a note is written with is read of it, with every title", () => {
  for (const [at, title] of rejectionTitles.entries()) {
    const read = readNote(writeNote({ ...note, title, named: namedOf(4) }), undefined);
    const sopUids = namedOf(4).map(({ sopUid }) => sopUid);
    assert.deepEqual(read?.sopUids.toSorted(), sopUids);
    assert.deepEqual([read?.code, read?.studyUids], [at === 4 ? "" : title.code, ["1.2"]]);
  }
});

test("a note that names too much is refused, and the largest one of ours is read", () => {
  const [title] = rejectionTitles;
  assert.equal(readNote(writeNote({ ...note, title, named: namedOf(namedMax) }), undefined)?.sopUids.length, namedMax);
  assert.throws(
    () => readNote(writeNote({ ...note, title, named: namedOf(namedMax + 1) }), undefined),
    (error: unknown) => isProblem(error, "too-large"),
  );
});

test("the notes that we write are clean for dciodvfy", (t) => {
  if (!haveDciodvfy) return t.skip("needs dciodvfy: apt install dicom3tools");
  const folder = mkdtempSync(join(tmpdir(), "leadglass-notes-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const title of rejectionTitles) {
    const path = join(folder, `${title.code}.dcm`);
    writeFileSync(path, writeNote({ ...note, title, named: namedOf(3) }));
    const said = execFileSync("sh", ["-c", `dciodvfy ${path} 2>&1`], { encoding: "utf8" });
    assert.doesNotMatch(said, /^Error/m, said);
  }
});
