import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import {
  type DicomJson,
  hexOfTag,
  isIdentifying,
  isPrivateTag,
  parseDataSet,
  pixelDataTags,
  tagOf,
  toDicomJson,
} from "#formats/dicom";
import { type Gate, type Pass, system } from "#trust/access";
import type { OpenedObject, Reveal, Vault } from "#trust/vault";
import { currentBytes, type Layout } from "./corrected-bytes.ts";
import { openWhole } from "./held-instance.ts";
import type { Indexer } from "./indexer.ts";
import { instancesDigest } from "./instances-digest.ts";
import type { RevealedRows } from "./revealed-rows.ts";
import { encodeStored } from "./stored-record.ts";
import type { IndexedSeries, StudyIndex } from "./study-index.ts";

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
  of(pass: Pass, studyUid: string, seriesUid: string): Promise<Buffer>;
  /** Makes the blobs of series that have come to rest; how many it made. */
  refresh(): Promise<number>;
  /** A study was corrected, or something of it rejected. */
  changed(): void;
  close(): Promise<void>;
}

interface Parts {
  readonly vault: Vault;
  readonly reveal: Reveal;
  readonly revealed: RevealedRows;
  readonly gate: Gate;
  readonly index: StudyIndex;
  readonly indexer: Indexer;
  readonly clock: Clock;
  readonly log: Log;
  readonly bulkDataRoot: string;
}

export function createSeriesMetadata(parts: Parts): SeriesMetadata {
  const { vault, reveal, revealed, gate, index, indexer, clock, log } = parts;
  const making = new Map<string, Promise<Buffer>>();
  /** Counts changes: what is being made of what was before is not given to who asks after one. */
  let age = 0;
  /** By series number. */
  const givenUp = new Set<number>();
  let closed = false;

  const make = async (pass: Pass, studyUid: string, seriesUid: string): Promise<Buffer> => {
    const rows = await index.instances(studyUid, seriesUid);
    const [first] = rows;
    if (first === undefined) throw new Problem("absent", "not found");
    const halves = rows.map(({ studyToken, places }) => ({ studyToken, place: places.identity }));
    const study = await index.studyOfToken(first.studyToken);
    if (study === undefined) throw new Problem("absent", "not found");
    const identities = [study, ...rows].map(({ identity }) => identity);
    const opened = await reveal(pass, { rows: identities, halves }, "summary");
    const corrections = opened.rows[0]?.corrections ?? [];
    const objects: string[] = [];
    for (const [at, row] of rows.entries()) {
      const sopUid = opened.rows[at + 1]?.uid;
      if (sopUid === undefined) continue;
      const received = await openWhole(vault, row, opened.openHalf(at));
      const { layout, object } = await currentBytes(row, received, corrections);
      const bulkDataUri = `${parts.bulkDataRoot}/studies/${studyUid}/series/${seriesUid}/instances/${sopUid}/bulkdata`;
      objects.push(JSON.stringify(await metadataOf(layout, object, bulkDataUri)));
    }
    const blob = await gzip(`[${objects.join(",")}]`, { level: 6 });
    const instances = instancesDigest(rows.map(({ id }) => id));
    const of = { studyUid, seriesUid, studyToken: first.studyToken, corrections: corrections.length, instances };
    await keep(of, rows.length, blob);
    return blob;
  };

  const keep = async (
    of: {
      readonly studyUid: string;
      readonly seriesUid: string;
      readonly studyToken: string;
      readonly corrections: number;
      readonly instances: string;
    },
    instanceCount: number,
    blob: Buffer,
  ): Promise<void> => {
    const { studyUid, seriesUid, studyToken, corrections, instances } = of;
    const sealing = vault.seal({ studyToken, half: "identity" });
    try {
      await sealing.write(blob);
      const made = { studyUid, seriesUid, instanceCount, corrections, instances };
      const record = encodeStored({ kind: "series-blob", ...made });
      const { place, endPosition } = await sealing.finish(record);
      // Who moves objects waits until the index knows where they lie.
      const arrival = indexer.arrived({ pack: place.pack, position: endPosition });
      await index
        .putSeriesBlob(studyUid, seriesUid, { place, instanceCount }, corrections, instances)
        .finally(() => indexer.drop(arrival));
    } catch (error) {
      log.warn("series metadata was computed and not kept", {}, error);
      await sealing.abort().catch(() => {});
    }
  };

  const makeOnce = (pass: Pass, studyUid: string, seriesUid: string): Promise<Buffer> => {
    const key = `${age} ${studyUid} ${seriesUid}`;
    const running = making.get(key);
    if (running !== undefined) return running;
    const made = make(pass, studyUid, seriesUid).finally(() => making.delete(key));
    making.set(key, made);
    return made;
  };

  const refreshOne = async (series: IndexedSeries): Promise<boolean> => {
    const subject = { kind: "study", id: series.study.studyToken } as const;
    try {
      await gate.pass(system, "series.summarise", subject, async (pass) => {
        const [row] = await revealed.series(pass, [series], "summary");
        if (row !== undefined) await makeOnce(pass, row.study.studyUid, row.seriesUid);
      });
      return true;
    } catch (error) {
      log.warn("series metadata could not be made", {}, error);
      if (givenUp.size < givenUpMax) givenUp.add(series.id);
      return false;
    }
  };

  /** For who sees no more: made of the image halves, where what identifies is blank, and not kept. */
  const maskedOf = async (pass: Pass, studyUid: string, seriesUid: string): Promise<Buffer> => {
    const rows = await index.instances(studyUid, seriesUid);
    const { rows: opened } = await reveal(pass, { rows: rows.map(({ identity }) => identity) }, "summary");
    const objects: string[] = [];
    for (const [at, row] of rows.entries()) {
      const sopUid = opened[at]?.uid;
      if (sopUid === undefined) continue;
      const root = `${parts.bulkDataRoot}/studies/${studyUid}/series/${seriesUid}/instances/${sopUid}/bulkdata`;
      const shown = withoutIdentity(await metadataOf(row, await vault.open(row.places.image, row.id), root));
      const uids = { StudyInstanceUID: studyUid, SeriesInstanceUID: seriesUid, SOPInstanceUID: sopUid };
      objects.push(JSON.stringify({ ...shown, ...uidAttributes(uids) }));
    }
    return gzip(`[${objects.join(",")}]`, { level: 1 });
  };

  return {
    async of(pass, studyUid, seriesUid) {
      if (pass.sees === "masked") return maskedOf(pass, studyUid, seriesUid);
      const [study, kept] = await Promise.all([index.study(studyUid), index.seriesBlob(studyUid, seriesUid)]);
      if (study === undefined || kept === undefined || kept.instanceCount !== kept.seriesInstanceCount) {
        return makeOnce(pass, studyUid, seriesUid);
      }
      const halves = [{ studyToken: study.studyToken, place: kept.place }];
      const object = await (await reveal(pass, { halves }, "read")).openHalf(0);
      return object.read(0, object.sizeBytes);
    },
    async refresh() {
      const found = await index.seriesWithoutBlob(clock.now() - restMs, refreshedAtOnceMax + givenUp.size);
      const stale = found.filter(({ id }) => !givenUp.has(id));
      let made = 0;
      for (const series of stale.slice(0, refreshedAtOnceMax)) {
        if (closed) break;
        if (await refreshOne(series)) made++;
      }
      return made;
    },
    changed() {
      age++;
    },
    async close() {
      closed = true;
      await Promise.allSettled(making.values());
    },
  };
}

/** DICOM JSON of one instance, its pixels and other large values by reference below `bulkDataRoot`. */
async function metadataOf(layout: Layout, object: OpenedObject, bulkDataRoot: string): Promise<DicomJson> {
  const { dataSetOffset, transferSyntaxUid, pixelOffset } = layout;
  const end = Math.min(pixelOffset ?? object.sizeBytes, dataSetOffset + wholeHeaderBytesMax);
  const bytes = await object.read(dataSetOffset, end);
  const { dataSet, stoppedAt } = parseDataSet(bytes, { transferSyntaxUid, stopBefore: pixelDataTags });
  const json = toDicomJson(dataSet, { bulkDataBytesMin, bulkDataUri: (path) => `${bulkDataRoot}/${path}` });
  if (stoppedAt === undefined) return json;
  const tag = hexOfTag(stoppedAt.tag);
  return { ...json, [tag]: { vr: stoppedAt.vr, BulkDataURI: `${bulkDataRoot}/${tag}` } };
}

/** Attributes that the image half keeps, at any depth; of private ones it keeps few, and those go too. */
function withoutIdentity(json: DicomJson): DicomJson {
  const kept = Object.entries(json).filter(([key]) => {
    const tag = Number.parseInt(key, 16);
    return !isPrivateTag(tag) && !isIdentifying(tag);
  });
  return Object.fromEntries(
    kept.map(([key, attribute]) => {
      if (attribute.vr !== "SQ" || attribute.Value === undefined) return [key, attribute];
      return [key, { ...attribute, Value: (attribute.Value as DicomJson[]).map(withoutIdentity) }];
    }),
  );
}

function uidAttributes(uids: Readonly<Record<string, string>>): DicomJson {
  return Object.fromEntries(
    Object.entries(uids).map(([keyword, uid]) => [hexOfTag(tagOf(keyword)), { vr: "UI", Value: [uid] }]),
  );
}
