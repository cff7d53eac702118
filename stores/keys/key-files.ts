import type { Files, OpenFile } from "#base/io";
import { createKeyFile, type KeyFile } from "./key-file.ts";
import { isKeyRecord, isReplacedRecord, recordBytes } from "./records.ts";

/** The key files of one folder as one row of records, each with a number of its own while the process runs. */
export interface KeyFiles {
  /** Resolves with the record's number when it is on stable storage. */
  append(record: Buffer): Promise<number>;
  /** Puts another record in the place of one; resolves when it is on stable storage. */
  overwrite(number: number, record: Buffer): Promise<void>;
  /** Undefined when it cannot be read whole. */
  read(number: number): Promise<Buffer | undefined>;
  /** The records of these numbers, which are in order. Each is read again soon, or copied: the next may lie in its place. */
  readAll(numbers: Uint32Array): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

const nameOf = (serial: number) => `${String(serial).padStart(6, "0")}.keys`;
const namePattern = /^(\d{6,})\.keys$/;
const blockBytes = 1024 * 1024;

/** Opens the files and shows each record that holds a key to `seen`. After a failed write or sync a file is left as it is and a new one begun. */
export async function openKeyFiles(options: {
  readonly files: Files;
  /** Made when it is not there. */
  readonly folder: string;
  /** How long a file gets: one whose keys have all been replaced is removed here. */
  readonly recordsPerFile: number;
  readonly seen: (record: Buffer, number: number) => void;
}): Promise<KeyFiles> {
  const { files, folder, recordsPerFile, seen } = options;
  const keyFiles: KeyFile[] = [];
  let nextSerial = 1;
  let beginning: Promise<void> | undefined;

  const firstFree = () => {
    const last = keyFiles.at(-1);
    return last === undefined ? 0 : last.firstRecord + last.records();
  };
  const begin = async (): Promise<void> => {
    const file = await files.open(`${folder}/${nameOf(nextSerial++)}`, "create");
    try {
      await files.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    keyFiles.push(createKeyFile(file, firstFree(), 0));
  };
  const load = async (name: string, isLast: boolean): Promise<void> => {
    const file = await files.open(`${folder}/${name}`, "update");
    try {
      // What the last process wrote may be in the system's cache only.
      await file.sync();
      const sizeBytes = await file.size();
      const opened = createKeyFile(file, firstFree(), sizeBytes);
      const isNeeded = await loadRecords(file, sizeBytes, (record, at) => seen(record, opened.firstRecord + at));
      if (isNeeded || isLast) {
        keyFiles.push(opened);
        return;
      }
      await files.remove(`${folder}/${name}`);
      await file.close();
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
  };
  const holderOf = (number: number) => keyFiles.findLast((each) => each.firstRecord <= number);
  const close = async () => void (await Promise.all(keyFiles.map((each) => each.close())));

  try {
    await files.makeFolder(folder);
    const names = (await files.list(folder)).filter((name) => namePattern.test(name));
    for (const name of names) await load(name, name === names.at(-1));
    nextSerial = Number(namePattern.exec(names.at(-1) ?? "")?.[1] ?? 0) + 1;
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  return {
    async append(record) {
      for (;;) {
        const last = keyFiles.at(-1);
        // Chosen and joined in one turn of the loop: behind a full or failed file nothing is numbered any more.
        if (last !== undefined && !last.hasFailed() && last.records() < recordsPerFile) return last.append(record);
        beginning ??= begin().finally(() => {
          beginning = undefined;
        });
        await beginning;
      }
    },
    async overwrite(number, record) {
      await holderOf(number)?.overwrite(number, record);
    },
    async read(number) {
      const holder = holderOf(number);
      if (holder === undefined) return undefined;
      const bytes = Buffer.alloc(recordBytes);
      const have = await readUpTo(holder.file, bytes, (number - holder.firstRecord) * recordBytes);
      return have === recordBytes ? bytes : undefined;
    },
    async *readAll(numbers) {
      const block = Buffer.alloc(blockBytes);
      for (let at = 0; at < numbers.length; ) {
        const first = numbers[at] ?? 0;
        const holder = holderOf(first);
        if (holder === undefined) return;
        const end = Math.min(first + blockBytes / recordBytes, holder.firstRecord + holder.records());
        const wanted = block.subarray(0, (end - first) * recordBytes);
        await readUpTo(holder.file, wanted, (first - holder.firstRecord) * recordBytes);
        for (; at < numbers.length && (numbers[at] ?? 0) < end; at++) {
          const from = ((numbers[at] ?? 0) - first) * recordBytes;
          yield wanted.subarray(from, from + recordBytes);
        }
      }
    },
    close,
  };
}

/** Whether the file holds anything but keys that were replaced: keys, traces of shredded ones, damage. */
async function loadRecords(
  file: OpenFile,
  sizeBytes: number,
  seen: (record: Buffer, at: number) => void,
): Promise<boolean> {
  const block = Buffer.alloc(Math.min(blockBytes, Math.max(sizeBytes, recordBytes)));
  let isNeeded = false;
  for (let at = 0; at + recordBytes <= sizeBytes; ) {
    const have = await readUpTo(file, block, at);
    for (let from = 0; from + recordBytes <= have; from += recordBytes) {
      const record = block.subarray(from, from + recordBytes);
      if (isKeyRecord(record)) seen(record, (at + from) / recordBytes);
      isNeeded ||= !isReplacedRecord(record);
    }
    if (have < recordBytes) break;
    at += have - (have % recordBytes);
  }
  return isNeeded;
}

async function readUpTo(file: OpenFile, into: Buffer, position: number): Promise<number> {
  let have = 0;
  while (have < into.length) {
    const count = await file.read(into.subarray(have), position + have);
    if (count === 0) break;
    have += count;
  }
  return have;
}
