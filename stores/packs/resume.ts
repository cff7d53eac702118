import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { type FoundObject, findTail, type ReadAt, scanObjects } from "#trust/vault";
import type { Pack } from "./pack.ts";
import type { PackFolder } from "./pack-folder.ts";

export interface ResumedPack {
  readonly file: OpenFile;
  /** Where it ends. */
  readonly position: number;
  /** It may be appended to. Not when it ends in bytes that are neither a finished object nor what a torn write leaves. */
  readonly isWhole: boolean;
}

/**
 * Takes up a pack that the last process wrote to. What that process wrote may sit in the system's cache only, so it is synced
 * before anything else; a failure here means the disk fails, and nothing is started on it.
 */
export async function resumePack(options: {
  readonly files: Files;
  readonly folder: PackFolder;
  readonly pack: Pack;
  readonly prove: (found: FoundObject) => Promise<boolean>;
  readonly log: Log;
}): Promise<ResumedPack> {
  const { files, folder, pack, prove, log } = options;
  const file = await files.open(folder.pathOf(pack), "update");
  try {
    await file.sync();
    const sizeBytes = await file.size();
    const readAt: ReadAt = (position, into) => file.read(into, position);
    const tail = await findTail(readAt, sizeBytes);
    const unproven = scanObjects(readAt, {
      pack: pack.name,
      from: tail.provenTo,
      to: tail.lastEnd,
      voids: pack.voids,
    });
    const voids = [];
    for await (const found of unproven) {
      if ("gapFrom" in found || (await prove(found))) continue;
      log.warn("an object that was not acknowledged is not whole", { pack: pack.name, position: found.start });
      voids.push({ pack, range: { from: found.start, to: found.endPosition } });
    }
    await folder.addVoids(voids);
    if (tail.lastEnd === sizeBytes) return { file, position: sizeBytes, isWhole: true };
    if (tail.isSuspect) {
      log.warn("a pack ends in bytes that make no sense", { pack: pack.name, position: tail.lastEnd });
      return { file, position: sizeBytes, isWhole: false };
    }
    await file.truncate(tail.lastEnd);
    await file.sync();
    return { file, position: tail.lastEnd, isWhole: true };
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}
