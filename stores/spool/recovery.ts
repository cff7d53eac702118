import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { isProblem } from "#base/problem";
import type { IndexedParcel, SpoolChange, SpoolIndex } from "#stores/sql";
import { footerBytes } from "./footer.ts";
import { type ReadAt, readPieces, storedBytes } from "./pieces.ts";
import { type FoundParcel, scanBack } from "./scan.ts";
import { segmentName, serialOf } from "./segments.ts";

const atOnceMost = 1000;
const checkedAtOnceBytes = 1024 * 1024;

/**
 * Brings the index up to date with the segments, which are the truth. What the last process wrote and did not note is behind the position up
 * to which its segment was noted: a few parcels at the ends of the segments that were open, or everything when the index was lost. Nothing is
 * appended to a segment of a former process. Gives the highest serial.
 */
export async function recoverSegments(parts: {
  readonly files: Files;
  readonly folder: string;
  readonly index: SpoolIndex;
  readonly log: Log;
}): Promise<number> {
  const { files, folder, index, log } = parts;
  const known = new Map((await index.segments()).map((segment) => [segment.serial, segment]));
  const serials = (await files.list(folder)).map(serialOf).filter((serial) => serial !== undefined);
  for (const serial of serials) {
    const { indexedTo = 0, isEnded = false } = known.get(serial) ?? {};
    if (!isEnded) await recoverSegment(parts, serial, indexedTo);
    known.delete(serial);
  }
  for (const { serial, living } of known.values()) {
    if (living > 0)
      log.error("a segment of the spool is gone, and parcels with it", { segment: serial, parcels: living });
    await index.apply([{ kind: living > 0 ? "lost" : "removed", serial }]);
  }
  return Math.max(0, ...serials, ...known.keys());
}

async function recoverSegment(
  { files, folder, index, log }: Parameters<typeof recoverSegments>[0],
  serial: number,
  indexedTo: number,
): Promise<void> {
  const file = await files.open(`${folder}/${segmentName(serial)}`, "update");
  try {
    const sizeBytes = await file.size();
    if (sizeBytes < indexedTo)
      log.error("a segment of the spool is shorter than it was", { segment: serial, sizeBytes });
    // What was written may sit in the system's cache only: it is on stable storage before it counts.
    if (sizeBytes > indexedTo) await file.sync();
    const end = await indexParcels({ file, index, log, serial, from: indexedTo, to: sizeBytes });
    if (end < sizeBytes) {
      log.warn("what was not finished is cut off a segment", { segment: serial, bytes: sizeBytes - end });
      await file.truncate(end);
      await file.sync();
    }
    await index.apply([{ kind: "segment", serial, indexedTo: end, isEnded: true }]);
  } finally {
    await file.close();
  }
}

/** Where the last parcel that counts ends. */
async function indexParcels(parts: {
  readonly file: OpenFile;
  readonly index: SpoolIndex;
  readonly log: Log;
  readonly serial: number;
  readonly from: number;
  readonly to: number;
}): Promise<number> {
  const { file, index, log, serial, from, to } = parts;
  const read: ReadAt = (position, into) => file.read(into, position);
  /** Noted as beginning where it did, so that a stop in the middle begins again. */
  const begun: SpoolChange = { kind: "segment", serial, indexedTo: from, isEnded: false };
  let end = from;
  let provenTo = from;
  let batch: SpoolChange[] = [];
  for await (const found of scanBack(read, { segment: serial, from, to })) {
    if ("gapFrom" in found) {
      // Behind the last that counts it is what a stop tore.
      if (end > from) log.error("bytes of the spool cannot be read", { segment: serial, position: found.gapFrom });
      continue;
    }
    const { footer } = found;
    provenTo = Math.max(provenTo, footer.provenTo);
    // One that was acknowledged and is damaged is kept, so that somebody hears of it; another may have been torn.
    if (footer.endPosition > provenTo && !(await isWhole(read, found))) {
      log.warn("a parcel that was not acknowledged is not whole", { segment: serial, position: found.position });
      continue;
    }
    end = Math.max(end, footer.endPosition);
    batch.push({ kind: "put", parcel: indexed(found) });
    if (batch.length < atOnceMost) continue;
    await index.apply([begun, ...batch]);
    batch = [];
  }
  await index.apply([begun, ...batch]);
  return end;
}

export function indexed({ position, footer: { note, seq, segment } }: FoundParcel): IndexedParcel {
  return { ...note, seq, segment, position };
}

/** Where a parcel ends in its segment. */
export function endOf({ position, length }: { readonly position: number; readonly length: number }): number {
  return position + storedBytes(length) + footerBytes;
}

async function isWhole(read: ReadAt, { position, footer: { note } }: FoundParcel): Promise<boolean> {
  try {
    for (let at = 0; at < note.length; at += checkedAtOnceBytes) {
      await readPieces(read, { position, length: note.length }, at, Math.min(note.length, at + checkedAtOnceBytes));
    }
    return true;
  } catch (error) {
    if (isProblem(error, "damaged")) return false;
    throw error;
  }
}
