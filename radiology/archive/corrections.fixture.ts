import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import {
  type DataSet,
  elementsOf,
  type KeywordDataSet,
  readFile,
  Tag,
  TransferSyntaxUid,
  writeFile,
} from "#formats/dicom";
import { type Actor, actorOf, operator } from "#trust/access";
import type { Archive, StoredInstance } from "./index.ts";

const root = "1.2.826.0.1.3680043.10.1561.13";

/** A small image of a study, with what a test says of it. */
export function imageFile(
  values: KeywordDataSet = {},
  options: { syntax?: string; study?: string; number?: number } = {},
) {
  const { syntax = TransferSyntaxUid.explicitLittleEndian, study = "1", number = 1 } = options;
  const sopClassUid = "1.2.840.10008.5.1.4.1.1.7";
  const sopUid = `${root}.${study}.9.${number}`;
  const meta = {
    mediaStorageSopClassUid: sopClassUid,
    mediaStorageSopInstanceUid: sopUid,
    transferSyntaxUid: syntax,
    implementationClassUid: "2.25.1",
    implementationVersionName: "TEST",
  };
  const dataSet = elementsOf({
    SOPClassUID: sopClassUid,
    SOPInstanceUID: sopUid,
    StudyDate: "20240131",
    Modality: "OT",
    PatientName: "Doe^Jane",
    PatientID: "P1",
    StudyInstanceUID: `${root}.${study}`,
    SeriesInstanceUID: `${root}.${study}.1`,
    InstanceNumber: String(number),
    Rows: 2,
    Columns: 2,
    BitsAllocated: 16,
    PixelData: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    ...values,
  });
  return writeFile(meta, dataSet);
}

/** The same in the deflated transfer syntax. */
export function deflatedFile(values: KeywordDataSet = {}): Uint8Array {
  const plain = readFile(imageFile(values));
  const meta = {
    mediaStorageSopClassUid: plain.dataSet.text(Tag.SOPClassUID) ?? "",
    mediaStorageSopInstanceUid: plain.dataSet.text(Tag.SOPInstanceUID) ?? "",
    transferSyntaxUid: TransferSyntaxUid.deflatedExplicitLittleEndian,
    implementationClassUid: "2.25.1",
    implementationVersionName: "TEST",
  };
  return writeFile(meta, plain.dataSet, { deflate: (bytes) => deflateRawSync(bytes) });
}

export async function receive(archive: Archive, file: Uint8Array, actor: Actor = actorOf("device", "1")) {
  const receiving = archive.receiveFile(actor);
  await receiving.write(file);
  return receiving.finish();
}

/** The token of the study that an instance is of. */
export async function tokenOf(archive: Archive, { studyUid, seriesUid, sopUid }: StoredInstance): Promise<string> {
  const [held] = await archive.read(operator, { studyUid, seriesUid, sopUid });
  assert.ok(held);
  return held.studyToken;
}

/** An instance as it was received and as it reads now, the latter in both ways there are. */
export async function bytesOf(archive: Archive, { studyUid, seriesUid, sopUid }: StoredInstance) {
  const [held] = await archive.read(operator, { studyUid, seriesUid, sopUid });
  assert.ok(held);
  const object = await held.open();
  const received = await object.read(0, object.sizeBytes);
  const current = await held.current(object);
  const pieces: Buffer[] = [];
  for await (const piece of current.spliced(object.stream())) pieces.push(piece);
  const now = Buffer.concat(pieces);
  const { sizeBytes, pixelOffset } = current.layout;
  assert.equal(sizeBytes, now.length);
  assert.ok(now.equals(await current.object.read(0, sizeBytes)), "read at once and piece by piece");
  const middle = sizeBytes >> 1;
  assert.ok(now.subarray(middle, sizeBytes - 1).equals(await current.object.read(middle, sizeBytes - 1)));
  return { held, received, now, pixelOffset };
}

/** What the Original Attributes Sequence keeps, oldest first: the values of before by tag. */
export function originals(now: Uint8Array): DataSet[] {
  const { dataSet } = readFile(now);
  return (dataSet.items(Tag.OriginalAttributesSequence) ?? []).flatMap((item) => item.items(0x04000550) ?? []);
}
