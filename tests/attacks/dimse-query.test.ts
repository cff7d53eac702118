// Rows 13 and 14 of the attack table: listing patients, and having images sent, by whom that was not given.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { systemClock } from "#base/clock";
import { dial, openAssociation } from "#doors/dimse";
import type { StatusView } from "#formats/api";
import { elementsOf, TransferSyntaxUid, tagOf } from "#formats/dicom";
import { studyOf } from "../conformance/dimse-query.fixture.ts";
import { asOperator, storeAll } from "../flows/modality.fixture.ts";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";

const root = "1.2.840.10008.5.1.4.1.2";
const [patientFind, studyFind, studyMove, studyGet] = [`${root}.1.1`, `${root}.2.1`, `${root}.2.2`, `${root}.2.3`];
const revealsPerMinute = 20;
const north = studyOf({ id: "N", name: "North^Nora" }, { AccessionNumber: "N1" }, { seed: 7, slices: 1 });
const elsewhere = studyOf({ id: "E", name: "Else^Where" }, { AccessionNumber: "E1" }, { seed: 8, slices: 1 });
/** More than anybody looks at within a minute. */
const many = Array.from({ length: 2 * revealsPerMinute }, (_, at) =>
  studyOf({ id: `M${at}`, name: `Many^M${at}` }, { AccessionNumber: `M${at}` }, { seed: 100 + at, slices: 1 }),
).flat();

let house: AttackedHouse;
before(async () => {
  house = await startAttackedHouse({ LEADGLASS_REVEALS_PER_MINUTE: String(revealsPerMinute) });
  house.command(["facility", "add", "North"]);
  admit("CT1", "--may", "store");
  admit("CTN", "--may", "store", "--facility", "North");
  await storeAll(house, elsewhere);
  await storeAll(house, north, "CTN");
});
after(() => house?.remove());

const admit = (ae: string, ...more: readonly string[]) =>
  house.command(["device", "add", ae, "--address", "127.0.0.1", ...more]);

function associate(callingAe: string, sopClassUid: string) {
  const transferSyntaxUids = [TransferSyntaxUid.implicitLittleEndian];
  const proposal = { callingAe, calledAe: "LEADGLASS", contexts: [{ sopClassUid, transferSyntaxUids }] };
  return openAssociation(dial({ host: "127.0.0.1", port: house.dicom }), proposal, { clock: systemClock });
}

/** What a C-FIND of everything gives away, and what it fails with. */
async function listing(callingAe: string, sopClassUid: string, level: string) {
  const association = await associate(callingAe, sopClassUid);
  const found: string[] = [];
  let failure: unknown;
  try {
    const keys = elementsOf({ QueryRetrieveLevel: level, PatientName: "*", PatientID: "*", StudyInstanceUID: "" });
    for await (const answer of association.find(sopClassUid, keys)) found.push(answer.text(tagOf("PatientID")) ?? "");
  } catch (error) {
    failure = error;
  } finally {
    association.abort();
  }
  return { found, failure };
}

const keysOf = (studyUid: string) => elementsOf({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: studyUid });
const stopped = async () => (await asOperator<StatusView>(house, "/api/status")).stopped;

test("attack 13: nobody lists patients who was not let search, and who was sees the own facility alone", async () => {
  admit("WSN", "--may", "find", "--facility", "North");
  admit("WS1", "--may", "find");
  await house.under({}, async () => {
    await assert.rejects(associate("NMAP", patientFind), { code: "denied" }, "an unknown caller has no association");
    for (const sopClassUid of [patientFind, studyFind]) {
      const { found, failure } = await listing("CT1", sopClassUid, sopClassUid === patientFind ? "PATIENT" : "STUDY");
      assert.deepEqual(found, []);
      assert.equal((failure as { code?: string }).code, "unsupported", "a scanner gets no context to search on");
    }
    assert.deepEqual((await listing("WSN", patientFind, "PATIENT")).found, ["N"]);
    assert.deepEqual((await listing("WSN", studyFind, "STUDY")).found, ["N"]);
  });
});

test("attack 14: images go to registered machines alone, at their own address", async (t) => {
  let called = 0;
  const trap = createServer((socket) => {
    called++;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  t.after(() => trap.close());
  await new Promise((resolve) => trap.once("listening", resolve));
  const { port } = trap.address() as { port: number };
  admit("WS2", "--may", "find,retrieve");
  admit("GONE", "--port", String(port));
  house.command(["device", "remove", "GONE"]);
  const [first] = elsewhere;
  const moveTo = async (callingAe: string, destination: string) => {
    const association = await associate(callingAe, studyMove);
    try {
      return (await association.move(studyMove, keysOf(first?.studyUid ?? ""), destination)).status;
    } finally {
      association.abort();
    }
  };
  await house.under({}, async () => {
    await assert.rejects(associate("NMAP", studyGet), { code: "denied" });
    await assert.rejects(moveTo("CT1", "WS2"), { code: "unsupported" });
    for (const title of ["GONE", "WS2", "", `127.0.0.1:${port}`, "localhost", "../WS2", "169.254.169.254"]) {
      assert.equal(await moveTo("WS2", title), 0xa801, title);
    }
    assert.equal(called, 0, "nothing was dialled");
  });
});

test("attack 13: a list of more people than anybody looks at is not shown, and who asked for it is stopped", async () => {
  await storeAll(house, many);
  const everything = await listing("WS1", studyFind, "STUDY");
  assert.deepEqual(everything.found, [], "more people at once than anybody looks at are not shown at all");
  assert.ok(everything.failure);
  assert.equal((await stopped()).length, 1);
  assert.deepEqual((await listing("WS1", patientFind, "PATIENT")).found, [], "and nothing more until it is released");
  for (const { actor } of await stopped()) house.command(["release", actor]);
});

test("attack 14: who has more studies sent within a minute than anybody looks at is stopped, and an operator is told", async (t) => {
  const association = await associate("WS2", studyGet);
  t.after(() => association.abort());
  const statuses: number[] = [];
  const receive = () => ({ write: () => undefined, finish: async () => {}, abort: () => {} });
  for (const { studyUid } of many) statuses.push((await association.get(studyGet, keysOf(studyUid), receive)).status);
  const refused = statuses.filter((status) => status === 0xa701).length;
  assert.equal(many.length - refused, revealsPerMinute, "so many before the alarm, and none after it");
  assert.equal((await stopped()).length, 1, "an operator is told");
  assert.match(house.output(), /looked at too many patients in a minute and is stopped/);
});
