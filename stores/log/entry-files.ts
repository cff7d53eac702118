import type { Files, OpenFile } from "#base/io";
import { asProblem, Problem } from "#base/problem";
import type { EntryStore } from "#trust/audit";
import { openOrCreate, openPlaces, openSlots } from "./fixed-records.ts";
import { openSegments } from "./segments.ts";

const hashBytes = 32;

/**
 * The audit log's lines, tree hashes, checkpoints and their cosignatures in files of one folder, which is made when it is not there.
 * One process at a time. What a crash tore behind the last sync is cut off on opening; rejects with Problem "damaged" when
 * something before it cannot be read.
 */
export async function openEntryFiles(options: {
  readonly files: Files;
  readonly folder: string;
  /** How much of a file is made ready ahead of the lines that come. */
  readonly aheadBytes?: number;
}): Promise<EntryStore> {
  const opened = await openEach(options).catch((error) => {
    throw asProblem(error, "opening the audit log");
  });
  const { segments, hashes, checkpoints, cosignatures } = opened;
  const guarded =
    <Given extends readonly unknown[], Result>(doing: string, work: (...given: Given) => Promise<Result>) =>
    (...given: Given): Promise<Result> =>
      work(...given).catch((error: unknown) => {
        throw asProblem(error, doing);
      });
  const [reading, writing, signing] = ["reading the audit log", "writing the audit log", "signing the audit log"];
  return {
    size: segments.size,
    append: guarded(writing, segments.append),
    read: guarded(reading, segments.read),
    writeHashes: guarded(signing, (at: number, written: Uint8Array) => hashes.write([written], at * hashBytes)),
    readHashes: guarded(reading, (places: readonly number[]) =>
      Promise.all(
        places.map(async (place) => {
          const into = Buffer.alloc(hashBytes);
          await hashes.read(into, place * hashBytes);
          return into;
        }),
      ),
    ),
    syncHashes: guarded(signing, syncOnce(hashes)),
    appendCheckpoint: guarded(signing, checkpoints.append),
    checkpointCount: checkpoints.count,
    readCheckpoints: guarded(reading, checkpoints.read),
    writeCosignatures: guarded("keeping cosignatures of the audit log", cosignatures.write),
    readCosignatures: guarded(reading, cosignatures.read),
    close: guarded("closing the audit log", async () => {
      await segments.close();
      await hashes.close();
      await checkpoints.close();
      await cosignatures.close();
    }),
  };
}

/** A sync that fails is not tried again: what was lost then would count as synced. */
function syncOnce(file: OpenFile): () => Promise<void> {
  let broken: unknown;
  return async () => {
    if (broken !== undefined) {
      throw new Problem("fault", "the audit log is not signed since a sync failed", {
        remedy: "look after the disk, then start again",
        cause: broken,
      });
    }
    try {
      await file.sync();
    } catch (error) {
      broken = error;
      throw error;
    }
  };
}

async function openEach({ files, folder, aheadBytes }: Parameters<typeof openEntryFiles>[0]) {
  await files.makeFolder(folder);
  const segments = await openSegments(files, folder, aheadBytes);
  const hashes = await openOrCreate(files, folder, "hashes");
  const checkpoints = await openSlots(files, folder, "checkpoints");
  const cosignatures = await openPlaces(files, folder, "cosignatures");
  return { segments, hashes, checkpoints, cosignatures };
}
