import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readFile, TransferSyntaxUid } from "#formats/dicom";
import { type Slice, sha256, storeAll, wholeLog } from "../flows/modality.fixture.ts";
import { freePort, has, type RunningHouse, startHouse } from "../house/index.ts";
import { ask, printed, storescp, studyOf } from "./dimse-query.fixture.ts";

/*
 * C-FIND, C-MOVE and C-GET of DCMTK's programs against a house as a person starts it.
 */
const skip = has("movescu") ? false : "needs dcmtk: apt install dcmtk";
const jane = { id: "P1", name: "Müller^Jane" };
const head = studyOf(jane, { AccessionNumber: "A1", StudyDate: "20240101" }, { seed: 1, slices: 4 });
const later = studyOf(jane, { AccessionNumber: "A2", StudyDate: "20240301" }, { seed: 2, kind: "ct-head" });
const other = studyOf({ id: "P2", name: "Roe^Richard" }, { AccessionNumber: "A3", StudyDate: "20240302" }, { seed: 3 });
const [{ studyUid } = { studyUid: "" }] = head;

let house: RunningHouse;
before(async () => {
  if (skip !== false) return;
  house = await startHouse();
  admit("CT1", "--may", "store");
  admit("WS1", "--may", "find,retrieve");
  for (const slices of [head, later, other]) await storeAll(house, slices);
});
after(() => house?.remove());

const admit = (ae: string, ...more: readonly string[]) =>
  house.command(["device", "add", ae, "--address", "127.0.0.1", ...more]);
const hashesOf = (slices: readonly { readonly sha256: string }[]) => slices.map(({ sha256: hash }) => hash).sort();
const atStudy = (...keys: readonly string[]) => ["QueryRetrieveLevel=STUDY", ...keys];
const wholeStudy = atStudy(`StudyInstanceUID=${studyUid}`);

test("findscu lists patients, studies, series and images, in its own character set", { skip }, async () => {
  const studies = await ask(house, "findscu", atStudy("PatientName=mul*", "AccessionNumber", "ModalitiesInStudy"), {
    more: ["-S"],
  });
  assert.equal(studies.code, 0);
  assert.deepEqual(printed(studies, "AccessionNumber"), ["A1", "A2"]);
  assert.deepEqual(printed(studies, "ModalitiesInStudy"), ["CT", "MR"]);
  assert.match(
    studies.output,
    /SpecificCharacterSet/,
    "a name that the default repertoire does not hold says in what it is",
  );
  const latin = await ask(house, "findscu", ["SpecificCharacterSet=ISO_IR 100", ...atStudy("PatientName=M\xfcller*")], {
    more: ["-S"],
  });
  assert.ok(printed(latin, "PatientName").length > 0);

  const patients = await ask(
    house,
    "findscu",
    ["QueryRetrieveLevel=PATIENT", "PatientID", "NumberOfPatientRelatedStudies"],
    {
      more: ["-P"],
    },
  );
  assert.deepEqual(printed(patients, "PatientID"), ["P1", "P2"]);
  assert.deepEqual(printed(patients, "NumberOfPatientRelatedStudies"), ["1", "2"]);
  const series = ["QueryRetrieveLevel=SERIES", `StudyInstanceUID=${studyUid}`, "SeriesInstanceUID", "Modality"];
  assert.deepEqual(printed(await ask(house, "findscu", series, { more: ["-S"] }), "Modality"), ["MR"]);
  const images = [
    ...["QueryRetrieveLevel=IMAGE", `StudyInstanceUID=${studyUid}`, `SeriesInstanceUID=${head[0]?.seriesUid}`],
    "SOPInstanceUID",
  ];
  assert.equal(printed(await ask(house, "findscu", images, { more: ["-S"] }), "SOPInstanceUID").length, 4);
  const unnamed = await ask(house, "findscu", ["QueryRetrieveLevel=SERIES", "SeriesInstanceUID"], { more: ["-S"] });
  assert.match(unnamed.output, /DataSetDoesNotMatchSOPClass/);
});

test("movescu has a study sent as it was received, and the log says who had it sent where", { skip }, async (t) => {
  const taker = await storescp("TAKER");
  t.after(taker.stop);
  admit("TAKER", "--port", String(taker.port), "--may", "store");
  const moved = await ask(house, "movescu", wholeStudy, { more: ["-S", "-aem", "TAKER"] });
  assert.match(moved.output, /Received Final Move Response \(Success\)/);
  assert.deepEqual(hashesOf(taker.taken()), hashesOf(head));

  const patient = ["QueryRetrieveLevel=PATIENT", "PatientID=P1"];
  const all = await ask(house, "movescu", patient, { more: ["-P", "-aem", "TAKER"] });
  assert.match(all.output, /Success/);
  assert.deepEqual(hashesOf(taker.taken()), hashesOf([...head, ...later]));

  const log = await wholeLog(house);
  const devices = JSON.parse(house.command(["device", "list", "--json"])).devices as { id: string; ae: string }[];
  const idOf = (ae: string) => devices.find((device) => device.ae === ae)?.id;
  const called = log.filter(({ act, actor }) => act === "device.call" && actor === `device:${idOf("WS1")}`);
  assert.deepEqual(
    called.map(({ on }) => on?.id),
    [idOf("TAKER"), idOf("TAKER")],
  );
  assert.ok(log.some(({ act, actor }) => act === "study.read" && actor === `device:${idOf("WS1")}`));
});

test("getscu has a study sent on its own association, bit for bit", { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lg-got-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const got = await ask(house, "getscu", wholeStudy, { more: ["-S", "+B", "-od", folder] });
  assert.match(got.output, /Completed Suboperations : 4/);
  const held = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  assert.deepEqual(held.map((bytes) => sha256(bytes.subarray(readFile(bytes).dataSetOffset))).sort(), hashesOf(head));
});

test("a destination that takes another syntax alone is sent that, one that takes nothing is told of", {
  skip,
}, async (t) => {
  const taker = await storescp("IMPLICIT", "+xi");
  t.after(taker.stop);
  admit("IMPLICIT", "--port", String(taker.port));
  const moved = await ask(house, "movescu", wholeStudy, { more: ["-S", "-aem", "IMPLICIT"] });
  assert.match(moved.output, /Success/);
  assert.deepEqual(
    taker.taken().map(({ transferSyntaxUid }) => transferSyntaxUid),
    head.map(() => TransferSyntaxUid.implicitLittleEndian),
  );
  admit("SILENT", "--port", String(await freePort()));
  const failed = await ask(house, "movescu", wholeStudy, { more: ["-d", "-S", "-aem", "SILENT"] });
  assert.match(failed.output, /SubOperationsFailure|A702|Unable to perform sub/i);
  for (const { sopInstanceUid } of head)
    assert.ok(failed.output.includes(sopInstanceUid), "those that failed are listed");
});

test("nobody is sent anything who is not registered with a port, or whose title two machines have", {
  skip,
}, async () => {
  admit("TWICE", "--port", "104");
  house.command(["device", "add", "TWICE", "--address", "127.0.0.2", "--port", "105"]);
  admit("PORTLESS");
  for (const ae of ["NOBODY", "PORTLESS", "TWICE"]) {
    const moved = await ask(house, "movescu", wholeStudy, { more: ["-S", "-aem", ae] });
    assert.match(moved.output, /MoveDestinationUnknown/);
  }
});

test("a machine that only stores is refused to search, and one that is let do less is cut off", { skip }, async () => {
  const refused = await ask(house, "findscu", atStudy("PatientName=*"), { ae: "CT1", more: ["-S"] });
  assert.match(refused.output, /No Acceptable Presentation Contexts/);
  admit("WS2");
  const may = await ask(house, "findscu", atStudy("AccessionNumber=A3"), { ae: "WS2", more: ["-S"] });
  assert.deepEqual(printed(may, "AccessionNumber"), ["A3"]);
  admit("WS2", "--may", "store");
  assert.match(
    (await ask(house, "findscu", atStudy("AccessionNumber=A3"), { ae: "WS2", more: ["-S"] })).output,
    /No Acc/,
  );
});

test("a machine in a facility sees what came from there; `device echo` says whether one answers", {
  skip,
}, async (t) => {
  house.command(["facility", "add", "North"]);
  admit("CTN", "--may", "store", "--facility", "North");
  admit("WSN", "--may", "find,retrieve", "--facility", "North");
  const north: Slice[] = studyOf({ id: "P3", name: "North^Nora" }, { AccessionNumber: "N1" }, { seed: 9 });
  await storeAll(house, north, "CTN");
  const seen = await ask(house, "findscu", atStudy("AccessionNumber"), { ae: "WSN", more: ["-S"] });
  assert.deepEqual(printed(seen, "AccessionNumber"), ["N1"]);

  const taker = await storescp("ECHO");
  t.after(taker.stop);
  admit("ECHO", "--port", String(taker.port));
  assert.match(house.command(["device", "echo", "ECHO"]), /answered after \d+ ms/);
  const { status, stderr } = house.tryCommand(["device", "echo", "PORTLESS"]);
  assert.notEqual(status, 0);
  assert.match(stderr, /takes no associations/);
  assert.match(house.command(["device", "list"]), /WSN .* may find,retrieve .* North/);
});
