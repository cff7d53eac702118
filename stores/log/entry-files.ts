import type { Files } from "#base/io";
import type { EntryStore } from "#trust/audit";
import { openOrCreate, openSlots } from "./fixed-records.ts";
import { openSegments } from "./segments.ts";

const hashBytes = 32;

/**
 * The audit log's lines, tree hashes and checkpoints in append-only files of one folder, which is made when it is not there.
 * One process at a time. What a crash tore behind the last sync is cut off on opening; rejects with Problem "damaged" when
 * something before it cannot be read.
 */
export async function openEntryFiles(options: {
  readonly files: Files;
  readonly folder: string;
  /** How much of a file is made ready ahead of the lines that come. */
  readonly aheadBytes?: number;
}): Promise<EntryStore> {
  const { files, folder, aheadBytes } = options;
  await files.makeFolder(folder);
  const segments = await openSegments(files, folder, aheadBytes);
  const hashes = await openOrCreate(files, folder, "hashes");
  const checkpoints = await openSlots(files, folder, "checkpoints");
  return {
    size: segments.size,
    append: segments.append,
    read: segments.read,
    writeHashes: (at, written) => hashes.write([written], at * hashBytes),
    readHashes: (places) =>
      Promise.all(
        places.map(async (place) => {
          const into = Buffer.alloc(hashBytes);
          await hashes.read(into, place * hashBytes);
          return into;
        }),
      ),
    syncHashes: () => hashes.sync(),
    appendCheckpoint: checkpoints.append,
    checkpointCount: checkpoints.count,
    readCheckpoints: checkpoints.read,
    async close() {
      await segments.close();
      await hashes.close();
      await checkpoints.close();
    },
  };
}
