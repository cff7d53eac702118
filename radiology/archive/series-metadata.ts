import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { hexOfTag, parseDataSet, pixelDataTags, toDicomJson } from "#formats/dicom";
import type { Vault } from "#trust/vault";
import { encodeStored } from "./stored-record.ts";
import type { InstanceRow, StudyIndex } from "./study-index.ts";

const gzip = promisify(gzipCallback);

/** A series that has not changed for so long has probably come whole. */
const restMs = 1_500;
/** Newest first: after an import of many the rest is made bit by bit, or when somebody asks for it. */
const refreshedAtOnceMax = 4;
/** Series whose metadata could not be made are not tried again by themselves: they would keep the others waiting. */
const givenUpMax = 1_000;
/** Objects without pixel data are read whole for their metadata, up to this. */
const wholeHeaderBytesMax = 256 * 1024 * 1024;
/** Values from this size on are served by reference (PS3.18 §F.2.2). */
const bulkDataBytesMin = 1_024;

/** The metadata of whole series, kept as one sealed blob each so that a viewer opens a series with one read. */
export interface SeriesMetadata {
  /** A JSON array of DICOM JSON objects, gzip. */
  of(studyUid: string, seriesUid: string): Promise<Buffer>;
  /** Makes the blobs of series that have come to rest; how many it made. */
  refresh(): Promise<number>;
  close(): Promise<void>;
}

interface Parts {
  readonly vault: Vault;
  readonly index: StudyIndex;
  readonly clock: Clock;
  readonly log: Log;
  readonly bulkDataRoot: string;
}

export function createSeriesMetadata(parts: Parts): SeriesMetadata {
  const { vault, index, clock, log } = parts;
  const making = new Map<string, Promise<Buffer>>();
  const givenUp = new Set<string>();
  let closed = false;

  const make = async (studyUid: string, seriesUid: string): Promise<Buffer> => {
    const rows = await index.instances(studyUid, seriesUid);
    const [first] = rows;
    if (first === undefined) throw new Problem("absent", "not found");
    const objects: string[] = [];
    for (const row of rows) objects.push(await metadataOf(row, parts));
    const blob = await gzip(`[${objects.join(",")}]`, { level: 6 });
    await keep(first, rows.length, blob);
    return blob;
  };

  const keep = async (first: InstanceRow, instanceCount: number, blob: Buffer): Promise<void> => {
    const { studyUid, seriesUid, studyToken } = first;
    const sealing = vault.seal({ studyToken });
    try {
      await sealing.write(blob);
      const { place } = await sealing.finish(encodeStored({ kind: "series-blob", studyUid, seriesUid, instanceCount }));
      await index.putSeriesBlob(studyUid, seriesUid, { place, instanceCount });
    } catch (error) {
      log.warn("series metadata was computed and not kept", {}, error);
      await sealing.abort().catch(() => {});
    }
  };

  const makeOnce = (studyUid: string, seriesUid: string): Promise<Buffer> => {
    const key = `${studyUid} ${seriesUid}`;
    const running = making.get(key);
    if (running !== undefined) return running;
    const made = make(studyUid, seriesUid).finally(() => making.delete(key));
    making.set(key, made);
    return made;
  };

  return {
    async of(studyUid, seriesUid) {
      const kept = await index.seriesBlob(studyUid, seriesUid);
      if (kept === undefined || kept.instanceCount !== kept.seriesInstanceCount) return makeOnce(studyUid, seriesUid);
      const object = await vault.open(kept.place);
      return object.read(0, object.sizeBytes);
    },
    async refresh() {
      const found = await index.seriesWithoutBlob(clock.now() - restMs, refreshedAtOnceMax + givenUp.size);
      const stale = found.filter(({ studyUid, seriesUid }) => !givenUp.has(`${studyUid} ${seriesUid}`));
      let made = 0;
      for (const { studyUid, seriesUid } of stale.slice(0, refreshedAtOnceMax)) {
        if (closed) break;
        try {
          await makeOnce(studyUid, seriesUid);
          made++;
        } catch (error) {
          log.warn("series metadata could not be made", {}, error);
          if (givenUp.size < givenUpMax) givenUp.add(`${studyUid} ${seriesUid}`);
        }
      }
      return made;
    },
    async close() {
      closed = true;
      await Promise.allSettled(making.values());
    },
  };
}

/** DICOM JSON text of one instance, its pixels and other large values by reference. */
export async function metadataOf(row: InstanceRow, parts: Pick<Parts, "vault" | "bulkDataRoot">): Promise<string> {
  const { studyUid, seriesUid, sopUid, dataSetOffset, transferSyntaxUid, pixelOffset } = row;
  const object = await parts.vault.open(row.place);
  const end = Math.min(pixelOffset ?? object.sizeBytes, dataSetOffset + wholeHeaderBytesMax);
  const bytes = await object.read(dataSetOffset, end);
  const { dataSet, stoppedAt } = parseDataSet(bytes, { transferSyntaxUid, stopBefore: pixelDataTags });
  const at = `${parts.bulkDataRoot}/studies/${studyUid}/series/${seriesUid}/instances/${sopUid}/bulkdata`;
  const json = toDicomJson(dataSet, { bulkDataBytesMin, bulkDataUri: (path) => `${at}/${path}` });
  if (stoppedAt === undefined) return JSON.stringify(json);
  const tag = hexOfTag(stoppedAt.tag);
  return JSON.stringify({ ...json, [tag]: { vr: stoppedAt.vr, BulkDataURI: `${at}/${tag}` } });
}
