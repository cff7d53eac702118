import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { CorrectedView, CorrectionView } from "#formats/api";
import { readFile, Tag } from "#formats/dicom";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { firstValue, search, sha256, slicesOf, stow, wholeLog } from "./modality.fixture.ts";

/*
 * Corrections as the operator makes them, on a real server: the tests follow on each other.
 */
let house: RunningHouse;
const seriesOf = (seed: number, name: string, id: string, accessionNumber: string) =>
  slicesOf({
    kind: "mr-brain",
    slices: 1,
    size: 64,
    seed,
    patient: { name, id, birthDate: "19700102", sex: "M" },
    accessionNumber,
  });
const jane = seriesOf(301, "Quillon^Jane", "QZ-4711", "A-301");
const other = seriesOf(302, "Quillon^Janet", "QZ-4712", "A-302");
const john = seriesOf(303, "Zebedee^John", "QZ-9000", "A-303");
const reason = { code: "CORRECT", text: "typed in wrongly" };

before(async () => {
  house = await startHouse();
  for (const slices of [jane, other, john]) assert.equal((await stow(house, slices)).status, 200);
});
after(() => house?.remove());

const correct = (words: string, input: object): CorrectedView =>
  JSON.parse(house.command([...words.split(" "), "--json"], JSON.stringify(input))) as CorrectedView;
const found = async (query: string) =>
  (await search(house, `/studies?${query}`)).map((study) => firstValue(study, "00100020"));

/** Every file of the image store, by its hash. */
function imagePacks(): Record<string, string> {
  const folder = join(house.home, "packs");
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map((entry) => [entry.name, sha256(readFileSync(join(entry.parentPath, entry.name)))] as const),
  );
}

test("a study is corrected by its accession number out of standard input; the image store keeps every byte", async () => {
  const packs = imagePacks();
  const input = { accessionNumber: "A-301", changes: { StudyDescription: "Left knee" }, reason };
  const { studies } = correct("study correct", input);
  assert.equal(studies.length, 1);
  assert.deepEqual(correct("study correct", input), { studies: [] });
  assert.deepEqual(imagePacks(), packs);
  assert.deepEqual(await found("StudyDescription=Left%20knee"), ["QZ-4711"]);
});

test("one patient is merged into another; both are found by the one that stays, and read so", async () => {
  const merge = { from: { PatientID: "QZ-4712" }, into: { PatientID: "QZ-4711" }, reason };
  assert.equal(correct("patient merge", merge).studies.length, 1);
  assert.deepEqual(await found("PatientID=QZ-4712"), []);
  assert.deepEqual(await found("PatientID=QZ-4711"), ["QZ-4711", "QZ-4711"]);
  const [slice] = other;
  const { studyUid = "", seriesUid = "", sopInstanceUid = "" } = slice ?? {};
  const path = `/dicom-web/studies/${studyUid}/series/${seriesUid}/instances/${sopInstanceUid}`;
  const answer = await house.fetch(path, { headers: { accept: "application/dicom" } });
  const { dataSet } = readFile(Buffer.from(await answer.arrayBuffer()));
  assert.equal(dataSet.text(Tag.PatientName), "Quillon^Jane");
  const [item] = dataSet.items(Tag.OriginalAttributesSequence) ?? [];
  assert.equal(item?.items(0x04000550)?.[0]?.text(Tag.PatientName), "Quillon^Janet");
});

test("a study is moved to a patient that has none yet, and its history says all", async () => {
  const to = { PatientID: "QZ-7000", PatientName: "Newton^Nora" };
  const { studies } = correct("study move", { accessionNumber: "A-303", to, reason });
  assert.deepEqual(await found("PatientName=Newton*"), ["QZ-7000"]);
  const token = studies[0]?.studyToken ?? "";
  const history = JSON.parse(house.command(["study", "corrections", token, "--json"])) as CorrectionView[];
  assert.deepEqual(history[0]?.changes.PatientName, { from: "Zebedee^John", to: "Newton^Nora" });
  assert.deepEqual([history[0]?.act, history[0]?.by, history[0]?.reason], ["study.move", "operator", reason]);
  assert.match(house.command(["study", "corrections", token]), /PatientID: "QZ-9000" is "QZ-7000"/);
});

test("what is wrong with a request is said without what it holds", () => {
  const wrong = [
    house.tryCommand(["study", "correct"], "Secretname"),
    house.tryCommand(["study", "correct"], JSON.stringify({ accessionNumber: "Secretname", changes: {}, reason })),
    house.tryCommand(["patient", "merge"], JSON.stringify({ from: { PatientID: "Secretname" }, reason })),
    house.tryCommand(
      ["study", "move"],
      JSON.stringify({ accessionNumber: "A-303", to: { PatientID: "Secretname" }, reason }),
    ),
    house.tryCommand(
      ["study", "correct"],
      JSON.stringify({ accessionNumber: "A-301", changes: { Secretname: "Secretname" }, reason }),
    ),
  ];
  for (const { status, stdout, stderr } of wrong) {
    assert.notEqual(status, 0);
    assert.doesNotMatch(stdout + stderr, /Secretname/);
  }
  assert.doesNotMatch(house.output(), /Secretname|Quillon|Zebedee|Newton/);
});

test("the log says who corrected what, before it was opened", async () => {
  const acts = (await wholeLog(house)).map(({ act, outcome }) => `${act} ${outcome}`);
  for (const act of ["study.correct", "patient.merge", "study.move", "identity.correction"]) {
    assert.ok(acts.includes(`${act} done`), act);
  }
});

test("no file of the home holds a name or an ID, of before or of now, in the clear", () => {
  for (const entry of readdirSync(house.home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name)).toString("latin1");
    assert.doesNotMatch(bytes, /Quillon|Zebedee|Newton|Left knee|QZ-\d{4}/i, entry.name);
  }
});

test("a rebuild brings every correction back", async () => {
  house.command(["vault", "rebuild"]);
  assert.deepEqual(await found("PatientID=QZ-4711"), ["QZ-4711", "QZ-4711"]);
  assert.deepEqual(await found("PatientName=Newton*"), ["QZ-7000"]);
  assert.deepEqual(await found("StudyDescription=Left%20knee"), ["QZ-4711"]);
});
