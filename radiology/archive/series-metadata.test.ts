import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { elementsOf, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import type { Vault } from "#trust/vault";
import { createSeriesMetadata } from "./series-metadata.ts";
import type { InstanceRow, StudyIndex } from "./study-index.ts";

const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
const bytes = Buffer.from(writeDataSet(elementsOf({ PatientID: "1" }), { transferSyntaxUid }));

/** Series "bad…" lie where nothing can be read; what is made is remembered. */
function metadataOf(series: readonly string[]) {
  const made: string[] = [];
  const index = {
    async seriesWithoutBlob(_since: number, limit: number) {
      const stale = series.filter((seriesUid) => !made.includes(seriesUid));
      return stale.slice(0, limit).map((seriesUid) => ({ studyUid: "1", seriesUid }));
    },
    async instances(studyUid: string, seriesUid?: string) {
      return [{ studyUid, seriesUid, dataSetOffset: 0, transferSyntaxUid, place: { pack: seriesUid, offset: 0 } }];
    },
    async putSeriesBlob(_studyUid: string, seriesUid: string) {
      made.push(seriesUid);
    },
    seriesBlob: async () => undefined,
  } as unknown as StudyIndex;
  const vault = {
    async open({ pack }: InstanceRow["place"]) {
      if (pack.startsWith("bad")) throw new Problem("damaged", "a segment does not open");
      return { sizeBytes: bytes.length, read: async () => bytes };
    },
    seal: () => ({ write: async () => {}, finish: async () => ({ place: {} }), abort: async () => {} }),
  } as unknown as Vault;
  const parts = { vault, index, clock: createVirtualClock(), log: silentLog, bulkDataRoot: "/dicom-web" };
  return { metadata: createSeriesMetadata(parts), made };
}

test("damaged series do not keep the others waiting, and are not tried again and again", async () => {
  const { metadata, made } = metadataOf([...Array.from({ length: 9 }, (_, at) => `bad${at}`), "good", "better"]);
  const found: number[] = [];
  for (let turn = 0; turn < 4; turn++) found.push(await metadata.refresh());
  assert.deepEqual(found, [0, 0, 2, 0]);
  assert.deepEqual(made, ["good", "better"]);
  await assert.rejects(metadata.of("1", "bad0"), { code: "damaged" });
});
