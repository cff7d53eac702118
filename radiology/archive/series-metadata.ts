import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import {
  createReader,
  type DicomJson,
  dicomJsonText,
  hexOfTag,
  isIdentifying,
  isPrivateTag,
  parseDataSet,
  parsingDataSet,
  pixelDataTags,
  type ReaderOptions,
  type StopPoint,
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
import { seriesJson } from "./series-json.ts";
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
/** Larger ones are gone through in parts: so much takes some milliseconds. */
const largeHeaderBytes = 256 * 1024;
const piecesAtOnce = 5_000;
/** More than thousands of frames with their functional groups have. All of them are in memory at once. */
const describedElementsMax = 250_000;
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
      const described = metadataText(layout, object, bulkDataUri, clock).catch((error: unknown) => {
        if (!isProblem(error, "too-large")) throw error;
        log.warn("an instance has too many elements to be described: its UIDs stand for it", {}, error);
        return JSON.stringify(
          uidAttributes({ StudyInstanceUID: studyUid, SeriesInstanceUID: seriesUid, SOPInstanceUID: sopUid }),
        );
      });
      objects.push(await described);
    }
    const blob = await gzip(seriesJson(objects), { level: 6 });
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
      const header = await headerOf(row, await vault.open(row.places.image, row.id));
      const shown = withoutIdentity(metadataIn(header, row, root));
      const uids = { StudyInstanceUID: studyUid, SeriesInstanceUID: seriesUid, SOPInstanceUID: sopUid };
      objects.push(JSON.stringify({ ...shown, ...uidAttributes(uids) }));
    }
    return gzip(seriesJson(objects), { level: 1 });
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

function headerOf({ dataSetOffset, pixelOffset }: Layout, object: OpenedObject): Promise<Buffer> {
  const end = Math.min(pixelOffset ?? object.sizeBytes, dataSetOffset + wholeHeaderBytesMax);
  return object.read(dataSetOffset, end);
}

const belowRoot = (bulkDataRoot: string) => ({
  bulkDataBytesMin,
  bulkDataUri: (path: string) => `${bulkDataRoot}/${path}`,
});

function pixelsBelow({ tag, vr }: StopPoint, bulkDataRoot: string): DicomJson {
  const key = hexOfTag(tag);
  return { [key]: { vr, BulkDataURI: `${bulkDataRoot}/${key}` } };
}

/** DICOM JSON of one instance, its pixels and other large values by reference below `bulkDataRoot`. */
function metadataIn(header: Uint8Array, { transferSyntaxUid }: Layout, bulkDataRoot: string): DicomJson {
  const { dataSet, stoppedAt } = parseDataSet(header, { transferSyntaxUid, stopBefore: pixelDataTags });
  const json = toDicomJson(dataSet, belowRoot(bulkDataRoot));
  return stoppedAt === undefined ? json : { ...json, ...pixelsBelow(stoppedAt, bulkDataRoot) };
}

/** Before anything is kept of them, elements are counted. */
async function requireFew(header: Uint8Array, options: ReaderOptions, clock: Clock): Promise<void> {
  const reader = createReader(options);
  for (
    let at = 0;
    at < header.length && reader.write(header.subarray(at, at + largeHeaderBytes));
    at += largeHeaderBytes
  )
    await clock.sleep(0);
  const { problem } = reader.progress();
  if (problem !== undefined) throw problem;
}

/** The same as text. A large header is gone through little by little, so that others have their turn. */
async function metadataText(layout: Layout, object: OpenedObject, bulkDataRoot: string, clock: Clock): Promise<string> {
  const header = await headerOf(layout, object);
  if (header.length <= largeHeaderBytes) return JSON.stringify(metadataIn(header, layout, bulkDataRoot));
  const { transferSyntaxUid } = layout;
  const limits = { elementsMax: describedElementsMax };
  const options = { transferSyntaxUid, stopBefore: pixelDataTags, limits };
  await requireFew(header, options, clock);
  const steps = parsingDataSet(header, options);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) await clock.sleep(0);
  const { dataSet, stoppedAt } = step.value;
  const parts: string[] = [];
  let some: string[] = [];
  for (const piece of dicomJsonText(dataSet, belowRoot(bulkDataRoot))) {
    if (some.push(piece) < piecesAtOnce) continue;
    parts.push(some.join(""));
    some = [];
    await clock.sleep(0);
  }
  const text = [...parts, ...some].join("");
  if (stoppedAt === undefined) return text;
  return `${text.slice(0, -1)},${JSON.stringify(pixelsBelow(stoppedAt, bulkDataRoot)).slice(1)}`;
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
