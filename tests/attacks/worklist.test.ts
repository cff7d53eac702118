// Rows 9 and 16 of the attack table: the modality worklist under bad identifiers, and AE titles that would be paths.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { dial, openAssociation } from "#doors/dimse";
import { elementsOf, type KeywordDataSet, TransferSyntaxUid, writeDataSet, writeFile } from "#formats/dicom";
import {
  console1,
  frontDesk,
  itemOf,
  itemValues,
  openSchedule,
  type Planned,
} from "../../radiology/schedule/schedule.fixture.ts";
import { servicesFor } from "../conformance/worklist-door.fixture.ts";
import { createDice, mutantOf } from "../fuzz/mutate.ts";
import { addTenant } from "../house/tenant-house.ts";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";
import { door, withinBounds } from "./dimse-door.fixture.ts";
import { associatedPeer, context, data, element, pdv, type RawPeer, statusOf, ui, us } from "./dimse-peer.fixture.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const worklist = "1.2.840.10008.5.1.4.31";
const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
const bytesOf = (keys: KeywordDataSet) => writeDataSet(elementsOf(keys), { transferSyntaxUid });
const step = (keys: KeywordDataSet): KeywordDataSet => ({ PatientName: "", ScheduledProcedureStepSequence: [keys] });

/** Identifiers as consoles send them, one for each kind of matching. */
const proper = [
  { PatientName: "", PatientID: "", StudyInstanceUID: "", ScheduledProcedureStepSequence: [] },
  step({ Modality: "CT", ScheduledStationAETitle: "CT1", ScheduledProcedureStepStartDate: "20260301" }),
  step({ ScheduledProcedureStepStartDate: "20260301-20260331", ScheduledProcedureStepStartTime: "0800-1800" }),
  step({ ScheduledProtocolCodeSequence: [{ CodeValue: "*", CodingSchemeDesignator: "DCM", CodeMeaning: "" }] }),
  { SpecificCharacterSet: ["", "ISO 2022 IR 87"], PatientName: "Yamada^*=", AccessionNumber: "A?" },
].map(bytesOf);
const words = ["*", "?".repeat(64), "\\".repeat(40), "-", "99999999-00000000", "=^=^", "\u001b$B"].map((word) =>
  Buffer.from(word, "latin1"),
);

const findRq = (messageId: number) =>
  Buffer.concat([
    element(0x0002, ui(worklist)),
    element(0x0100, us(0x20)),
    element(0x0110, us(messageId)),
    element(0x0700, us(0)),
    element(0x0800, us(1)),
  ]);

/** The final status of a C-FIND, or undefined when the association ended. */
async function asked(peer: RawPeer, messageId: number, identifier: Uint8Array): Promise<number | undefined> {
  const at = peer.answers.length;
  peer.send(data(pdv(1, 3, findRq(messageId))), data(pdv(1, 2, identifier)));
  for (let next = at; ; next++) {
    const answer = await peer.answer(next);
    if (answer === undefined) return undefined;
    const status = statusOf(answer);
    if (status !== undefined && status !== 0xff00 && status !== 0xff01) return status;
  }
}

test("attack 09: 10,000 mutated identifiers of the worklist are each answered, and the next proper one as before", async (t) => {
  const { schedule } = await openSchedule();
  for (let at = 0; at < 20; at++)
    await schedule.put(frontDesk, () => itemOf({ step: `S${at}`, name: `Doe^J${at}` }), "");
  const callers = { admit: async () => ({ admitted: true as const, services: servicesFor(schedule, console1) }) };
  const { port } = await door(t, { callers });
  const connect = () => associatedPeer(port, { contexts: [context(1, worklist)] });
  const dice = createDice(9);
  const statuses = new Map<number | undefined, number>();
  const mutants = async () => {
    const peer = await connect();
    for (let at = 0; at < 500; at++) {
      const [bytes, other] = [proper[dice(proper.length)]!, proper[dice(proper.length)]!];
      const status = await asked(peer, at + 1, mutantOf(bytes, { dice, words, other }).slice(0, 16_000));
      assert.notEqual(status, undefined, "the association lives on");
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    peer.socket.destroy();
  };
  for (let round = 0; round < 20; round++) {
    // What the last association has left, on both of its ends.
    collectGarbage();
    await withinBounds(0, mutants);
  }
  // It was understood, was none of this model, or could not be read: nothing else, and nothing was a fault of ours.
  assert.deepEqual([...statuses.keys()].sort(), [0x0000, 0xa900, 0xc000]);
  for (const count of statuses.values()) assert.ok(count > 100, "mutants of each kind");
  const peer = await connect();
  assert.equal(await asked(peer, 1, proper[0]!), 0);
  assert.equal(peer.answers.length, 1 + 2 * 20 + 1);
  peer.socket.destroy();
});

const paths = ["../clinic-b", "..", "/etc/passwd", "%2e%2e/CLINIC-B", "CLINIC-B/../", "C:CLINIC-B", "a/b", "*", "."];

function fileOf(folder: string, planned: Planned): string {
  const path = join(folder, "item.wl");
  const meta = {
    ...{ mediaStorageSopClassUid: worklist, mediaStorageSopInstanceUid: "1.2.3.4.5", transferSyntaxUid },
    ...{ implementationClassUid: "1.2.826.0.1.3680043.10.1425.9", implementationVersionName: "PLANNER" },
  };
  writeFileSync(path, writeFile(meta, elementsOf(itemValues(planned))));
  return path;
}

async function names(
  house: AttackedHouse,
  callingAe: string,
  calledAe: string,
  keys: KeywordDataSet,
): Promise<string[]> {
  const contexts = [{ sopClassUid: worklist, transferSyntaxUids: [transferSyntaxUid] }];
  const connection = dial({ host: "127.0.0.1", port: house.dicom });
  const association = await openAssociation(connection, { callingAe, calledAe, contexts }, { clock: systemClock });
  const found: string[] = [];
  for await (const one of association.find(worklist, elementsOf(keys))) found.push(one.text(0x00100010) ?? "");
  await association.release();
  return found;
}

test("attack 16: an AE title is a name and never a path: another tenant's worklist is empty from here, and nothing is opened by it", async (t) => {
  const house = await startAttackedHouse();
  const folder = mkdtempSync(join(tmpdir(), "lg-worklist-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  t.after(() => house.remove());
  const b = addTenant(house, "clinic-b");
  for (const home of [house, b]) home.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  b.command(["import", fileOf(folder, { name: "Beta^Bob", aes: ["CT1", "../clinic-b"] })]);
  assert.deepEqual(await names(house, "CT1", b.aeTitle, { PatientName: "" }), ["Beta^Bob"]);
  const before = readdirSync(house.home, { recursive: true }).length;
  await house.under({}, async () => {
    assert.deepEqual(await names(house, "CT1", "LEADGLASS", { PatientName: "*" }), []);
    for (const title of paths) {
      assert.deepEqual(await names(house, "CT1", "LEADGLASS", step({ ScheduledStationAETitle: title })), [], title);
      for (const [calling, called] of [
        ["CT1", title],
        [title, "LEADGLASS"],
      ] as const) {
        await assert.rejects(
          names(house, calling, called, { PatientName: "" }),
          (error) => isProblem(error, "denied"),
          title,
        );
      }
    }
  });
  assert.equal(readdirSync(house.home, { recursive: true }).length, before, "no file or folder came of a title");
});
