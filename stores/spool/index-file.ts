import type { Files } from "#base/io";
import type { Log } from "#base/log";
import { isProblem } from "#base/problem";
import { openSpoolIndex, type SpoolIndex, type SpoolTotals } from "#stores/sql";
import { recoverSegments } from "./recovery.ts";

/** What SQLite keeps beside its file. */
const endings = ["", "-wal", "-shm"];

export interface OpenedIndex {
  readonly index: SpoolIndex;
  readonly totals: SpoolTotals;
  readonly lastSerial: number;
  /** The next start makes the index again. */
  markDamaged(): Promise<void>;
}

interface Parts {
  readonly files: Files;
  readonly folder: string;
  readonly log: Log;
  readonly openIndex?: (path: string) => Promise<SpoolIndex>;
}

/**
 * Opens the index and brings it up to date. One that is damaged is made again from the segments: everything in them waits then, also what was
 * settled or set aside, and the cloud answers what it has with its receipt; receipts of what is gone from here are not known any more.
 */
export async function openIndex(parts: Parts): Promise<OpenedIndex> {
  const { files, folder, log } = parts;
  const path = `${folder}/index.sqlite`;
  const mark = `${folder}/index.damaged`;
  const removeIndex = async () => {
    log.error("the index of the spool is damaged and is made again; receipts that it held are lost");
    for (const ending of endings) await files.remove(`${path}${ending}`);
    await files.remove(mark);
    await files.syncFolder(folder);
  };
  if (await files.exists(mark)) await removeIndex();
  const opened = await openAt(parts, path).catch(async (error) => {
    if (!isProblem(error, "damaged")) throw error;
    await removeIndex();
    return openAt(parts, path);
  });
  const markDamaged = async () => {
    try {
      await (await files.open(mark, "create")).close();
      await files.syncFolder(folder);
    } catch (error) {
      log.error("that the index of the spool is damaged could not be noted", {}, error);
    }
  };
  return { ...opened, markDamaged };
}

async function openAt(parts: Parts, path: string) {
  const index = await (parts.openIndex ?? openFile(parts.files))(path);
  try {
    const lastSerial = await recoverSegments({ ...parts, index });
    return { index, lastSerial, totals: await index.totals() };
  } catch (error) {
    await index.close();
    throw error;
  }
}

/** The file is made here, so that it and what SQLite puts beside it are for nobody else. */
const openFile = (files: Files) => async (path: string) => {
  if (!(await files.exists(path))) await (await files.open(path, "create")).close();
  return openSpoolIndex({ path });
};
