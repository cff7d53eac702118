import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { elementsOf, TransferSyntaxUid, writeFile } from "#formats/dicom";
import { actorOf, operator } from "#trust/access";
import { openArchive } from "./archive.fixture.ts";

const root = "1.2.826.0.1.3680043.10.1561.7";
const studyUid = `${root}.1`;
const seriesUidOf = (series: number) => `${studyUid}.${series}`;

function fileOf(series: number): Uint8Array {
  const sopClassUid = "1.2.840.10008.5.1.4.1.1.7";
  const sopUid = `${root}.2.${series}`;
  const dataSet = elementsOf({
    SOPClassUID: sopClassUid,
    SOPInstanceUID: sopUid,
    PatientID: "1",
    StudyInstanceUID: studyUid,
    SeriesInstanceUID: seriesUidOf(series),
  });
  const meta = {
    mediaStorageSopClassUid: sopClassUid,
    mediaStorageSopInstanceUid: sopUid,
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    implementationClassUid: "2.25.1",
    implementationVersionName: "TEST",
  };
  return writeFile(meta, dataSet);
}

test("damaged series do not keep the others waiting, and are not tried again and again", async () => {
  const clock = createVirtualClock();
  const { archive, index, stores } = await openArchive({ clock });
  for (let series = 1; series <= 11; series++) {
    const receiving = archive.receiveFile(actorOf("device", "1"));
    await receiving.write(fileOf(series));
    await receiving.finish();
    clock.advance(1_000);
  }
  await archive.settled();
  // The newest changes come first in line: those are the damaged.
  for (let series = 3; series <= 11; series++) {
    const [row] = await index.instances(studyUid, seriesUidOf(series));
    const bytes = stores.identity.objects.bytes();
    const at = (row?.places.identity.offset ?? 0) + 150;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
  }
  clock.advance(2_000);
  const made: number[] = [];
  for (let turn = 0; turn < 4; turn++) made.push(await archive.refreshBlobs());
  assert.deepEqual(made, [0, 0, 2, 0]);
  await assert.rejects(archive.seriesMetadata(operator, studyUid, seriesUidOf(3)), { code: "damaged" });
  assert.ok((await archive.seriesMetadata(operator, studyUid, seriesUidOf(1))).length > 0);
});
