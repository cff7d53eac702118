import type { IndexBox } from "#trust/vault";
import type { ConflictHeld, CopyHeld, InstanceHeld, SeriesHeld, StudyHeld } from "./blind-store.ts";
import { exactKey } from "./matching.ts";
import type { IndexedInstance, IndexedSeries, IndexedStudy } from "./study-index.ts";

/** Digests by which rows are found. */
export interface RowDigests {
  study(uid: string): Buffer;
  series(uid: string): Buffer;
  sop(uid: string): Buffer;
  content(dataSetSha256: string): Buffer;
}

const digestBytes = 16;

export function createRowDigests(box: Pick<IndexBox, "digest">): RowDigests {
  const of = (kind: string) => (text: string) => box.digest(kind, exactKey(text)).subarray(0, digestBytes);
  return { study: of("study uid"), series: of("series uid"), sop: of("sop uid"), content: of("content") };
}

export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");

export function indexedStudy({ uidDigest: _digest, identity, ...row }: StudyHeld): IndexedStudy {
  return { ...row, identity: { studyToken: row.studyToken, sealed: identity } };
}

export function indexedSeries({ id, identity, instanceCount }: SeriesHeld, study: IndexedStudy): IndexedSeries {
  return { id, study, identity: { studyToken: study.studyToken, sealed: identity }, instanceCount };
}

export function indexedInstance({ seriesId, ...copy }: InstanceHeld): IndexedInstance {
  return indexedCopy(copy, seriesId);
}

/** A copy in conflict stands beside the served one, in its series. */
export const indexedConflict = (copy: ConflictHeld, seriesId: number): IndexedInstance => indexedCopy(copy, seriesId);

function indexedCopy(copy: CopyHeld, seriesId: number): IndexedInstance {
  const { token, studyToken, identity, sopClassUid, transferSyntaxUid, places, sizeBytes } = copy;
  const { dataSetOffset, pixelOffset, pixelLength, receivedAt, receivedFrom } = copy;
  return {
    id: token,
    seriesId,
    studyToken,
    identity: { studyToken, sealed: identity },
    sopClassUid,
    transferSyntaxUid,
    places,
    sizeBytes,
    dataSetOffset,
    ...(pixelOffset !== undefined && { pixelOffset }),
    ...(pixelLength !== undefined && { pixelLength }),
    receivedAt,
    receivedFrom,
  };
}
