import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { elementsOf, readDataSet, Tag, TransferSyntaxUid, tagOf, writeDataSet, writeMeta } from "#formats/dicom";
import type { DataSetHeader, Receiving } from "#radiology/archive";
import { actorOf } from "#trust/access";
import { createEdgeIntake, type EdgeRoute } from "./edge-intake.ts";

const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
const scanner = actorOf("device", "5c".repeat(16));
const somebody = actorOf("user", "5d".repeat(16));
const header = {
  sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  sopInstanceUid: "1.2.3.1",
  transferSyntaxUid,
  sourceAe: "CT1",
};
const dataSet = writeDataSet(
  elementsOf({
    ...{ SOPClassUID: header.sopClassUid, SOPInstanceUID: "1.2.3.1", StudyDescription: "Head", Modality: "CT" },
    ...{ PatientName: "Roe^Richard", BodyPartExamined: "HEAD", StudyInstanceUID: "1.2.3", SeriesInstanceUID: "1.2.4" },
    PixelData: new Uint8Array(40_000),
  }),
  { transferSyntaxUid },
);
const stored = { studyUid: "1.2.3", seriesUid: "1.2.4", sopUid: "1.2.3.1", sopClassUid: header.sopClassUid };

function fileOf(bytes: Uint8Array): Buffer {
  const { sopClassUid: mediaStorageSopClassUid, sopInstanceUid: mediaStorageSopInstanceUid } = header;
  const uids = { mediaStorageSopClassUid, mediaStorageSopInstanceUid, transferSyntaxUid };
  return Buffer.concat([
    writeMeta({ ...uids, implementationClassUid: "1.2.9", implementationVersionName: "TEST" }),
    bytes,
  ]);
}

/** Two places that note what came, of which the archive may be full. */
function places(route: EdgeRoute, { isFull = false } = {}) {
  const came: { cloud: [DataSetHeader, Buffer][]; here: [DataSetHeader, Buffer][] } = { cloud: [], here: [] };
  const asked: string[] = [];
  const aborted: string[] = [];
  const place = (name: "cloud" | "here") => ({
    receiveDataSet(_actor: unknown, given: DataSetHeader): Receiving {
      const pieces: Buffer[] = [];
      return {
        write(bytes) {
          if (name === "here" && isFull) throw new Problem("no-room", "full");
          pieces.push(Buffer.from(bytes));
          return undefined;
        },
        async finish() {
          came[name].push([given, Buffer.concat(pieces)]);
          return stored;
        },
        abort: async () => void aborted.push(name),
      };
    },
  });
  const intake = createEdgeIntake({
    ...{ uplink: place("cloud"), archive: place("here"), clock: systemClock, log: silentLog },
    route(_actor, _header, text) {
      asked.push(`${text(tagOf("Modality"))} ${text(tagOf("BodyPartExamined"))} ${text(tagOf("StudyDescription"))}`);
      return route;
    },
  });
  const give = async (receiving: Receiving, bytes: Uint8Array) => {
    const lent = Buffer.alloc(100);
    try {
      for (let at = 0; at < bytes.length; at += lent.length) {
        const piece = lent.subarray(0, Buffer.from(bytes).copy(lent, 0, at));
        await receiving.write(piece);
        piece.fill(0xee);
      }
    } catch (error) {
      // As the door does.
      await receiving.abort();
      throw error;
    }
    return receiving.finish();
  };
  const send = (bytes: Uint8Array = dataSet, of: DataSetHeader = header) =>
    give(intake.receiveDataSet(scanner, of), bytes);
  const upload = (file: Uint8Array) => give(intake.receiveFile(somebody, "0f".repeat(16)), file);
  return { came, asked, aborted, send, upload };
}

test("an instance goes where its route says, whole, and the route is asked once, when it can know what it asks", async () => {
  for (const [cloud, keep] of [
    [true, false],
    [true, true],
    [false, true],
  ] as const) {
    const { came, asked, send } = places({ cloud, keep });
    assert.deepEqual(await send(), stored);
    assert.deepEqual(asked, ["CT HEAD Head"]);
    assert.deepEqual([came.cloud.length, came.here.length], [Number(cloud), Number(keep)]);
    for (const [, bytes] of [...came.cloud, ...came.here]) assert.ok(bytes.equals(dataSet));
  }
});

test("a copy that does not fit keeps nothing from the cloud; where it is the only one it is refused", async () => {
  const { came, aborted, send } = places({ cloud: true, keep: true }, { isFull: true });
  await send();
  assert.deepEqual([came.cloud.length, came.here.length, aborted], [1, 0, ["here"]]);
  await assert.rejects(places({ cloud: false, keep: true }, { isFull: true }).send(), { code: "no-room" });
});

test("where machines are sent it from here it is taken by both or by none", async () => {
  const needed = places({ cloud: true, keep: true, needsCopy: true });
  await needed.send();
  assert.deepEqual([needed.came.cloud.length, needed.came.here.length], [1, 1]);
  const full = places({ cloud: true, keep: true, needsCopy: true }, { isFull: true });
  await assert.rejects(full.send(), { code: "no-room" });
  assert.deepEqual([full.came.cloud.length, full.aborted.sort()], [0, ["cloud", "here"]]);
});

test("what is changed on its way goes to the cloud under its new UID, and is kept here as it came", async () => {
  const change = (bytes: Uint8Array) => {
    const read = readDataSet(bytes, { transferSyntaxUid });
    assert.equal(read.text(Tag.PatientName), "Roe^Richard");
    return writeDataSet(elementsOf({ SOPInstanceUID: "2.25.9", PatientName: "Nobody" }), { transferSyntaxUid });
  };
  const { came, send } = places({ cloud: true, keep: true, change });
  await send();
  const [[sent, bytes] = assert.fail()] = came.cloud;
  assert.equal(sent.sopInstanceUid, "2.25.9");
  assert.equal(readDataSet(bytes, { transferSyntaxUid }).text(Tag.PatientName), "Nobody");
  assert.ok(came.here[0]?.[1].equals(dataSet));
});

test("what a rule holds back, or takes nowhere, is refused, and nothing of it stays", async () => {
  const change = () => {
    throw new Problem("unsupported", "held back");
  };
  const held = places({ cloud: true, keep: true, change });
  await assert.rejects(held.send(), { code: "unsupported" });
  assert.deepEqual([held.came.cloud.length, held.came.here.length, held.aborted], [0, 0, ["here"]]);
  await assert.rejects(places({ cloud: false, keep: false }).send(), { code: "denied" });
});

test("a file that somebody uploads goes the same way, as a machine would send it", async () => {
  for (const file of [fileOf(dataSet), dataSet]) {
    const { came, asked, upload } = places({ cloud: true, keep: true });
    assert.deepEqual(await upload(file), stored);
    assert.deepEqual(asked, ["CT HEAD Head"]);
    const { sourceAe: _none, ...known } = header;
    for (const [given, bytes] of [...came.cloud, ...came.here]) {
      assert.deepEqual(given, { ...known, facility: "0f".repeat(16) });
      assert.ok(bytes.equals(dataSet));
    }
  }
  for (const broken of [Buffer.alloc(3000, "no DICOM"), fileOf(dataSet).subarray(0, 300), Buffer.alloc(0)]) {
    const { came, upload } = places({ cloud: true, keep: true });
    await assert.rejects(upload(broken), { code: "invalid" });
    assert.deepEqual([came.cloud, came.here], [[], []]);
  }
});

test("what is deflated is taken little by little, and is whole", async () => {
  const of = { ...header, transferSyntaxUid: TransferSyntaxUid.deflatedExplicitLittleEndian };
  const bytes = deflateRawSync(dataSet);
  const { came, send } = places({ cloud: true, keep: false });
  await send(bytes, of);
  assert.ok(came.cloud[0]?.[1].equals(bytes));
});
