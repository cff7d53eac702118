import type { Files, OpenFile } from "#base/io";
import { asProblem, Problem } from "#base/problem";
import { type KeyStore, type WrappedStudyKey, wrappedKeyBytesMax } from "#trust/vault";
import { createKeyFile, type KeyFile } from "./key-file.ts";
import { decodeRecord, digestBytes, encodeErased, encodeRecord, isKeyRecord, recordBytes } from "./records.ts";
import { createSlots } from "./slots.ts";

const nameOf = (serial: number) => `${String(serial).padStart(6, "0")}.keys`;
const namePattern = /^(\d{6,})\.keys$/;
const loadBytes = 1024 * 1024;

/**
 * Wrapped study keys in append-only files of one folder; only deletion writes in place. In memory rest 32 bytes a study,
 * the records are read when they are asked for. After a failed write or sync the file is left as it is and a new one begun.
 */
export async function createFileKeyStore(options: {
  readonly files: Files;
  /** Made when it is not there. */
  readonly folder: string;
}): Promise<KeyStore> {
  const { files, folder } = options;
  const byDigest = createSlots();
  const byToken = createSlots();
  const keyFiles: KeyFile[] = [];
  const underWay = new Map<string, Promise<WrappedStudyKey>>();
  let nextSerial = 1;
  let nextRecord = 0;
  let count = 0;
  let beginning: Promise<KeyFile> | undefined;

  const know = (bytes: Buffer, record: number) => {
    byDigest.add(bytes.readUInt32BE(4), record);
    byToken.add(bytes.readUInt32BE(36), record);
    count++;
  };
  const load = async (name: string) => {
    const file = await files.open(`${folder}/${name}`, "update");
    try {
      await loadFrom(file);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
  };
  const loadFrom = async (file: OpenFile) => {
    // What the last process wrote may be in the system's cache only.
    await file.sync();
    const sizeBytes = await file.size();
    const into = Buffer.alloc(Math.min(loadBytes, Math.max(sizeBytes, recordBytes)));
    for (let at = 0; at + recordBytes <= sizeBytes; ) {
      const have = await readUpTo(file, into, at);
      for (let from = 0; from + recordBytes <= have; from += recordBytes) {
        const bytes = into.subarray(from, from + recordBytes);
        if (isKeyRecord(bytes)) know(bytes, nextRecord + (at + from) / recordBytes);
      }
      if (have < recordBytes) break;
      at += have - (have % recordBytes);
    }
    const opened = createKeyFile(file, nextRecord, sizeBytes);
    nextRecord += opened.records();
    keyFiles.push(opened);
  };
  const begin = async (): Promise<KeyFile> => {
    const last = keyFiles.at(-1);
    const firstRecord = last === undefined ? 0 : last.firstRecord + last.records();
    const file = await files.open(`${folder}/${nameOf(nextSerial++)}`, "create");
    try {
      await files.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    const begun = createKeyFile(file, firstRecord, 0);
    keyFiles.push(begun);
    return begun;
  };
  const current = async (): Promise<KeyFile> => {
    const last = keyFiles.at(-1);
    if (last !== undefined && !last.hasFailed()) return last;
    beginning ??= begin().finally(() => {
      beginning = undefined;
    });
    return beginning;
  };
  const readRecord = async (record: number): Promise<Buffer | undefined> => {
    const holder = keyFiles.findLast((each) => each.firstRecord <= record);
    if (holder === undefined) return undefined;
    const bytes = Buffer.alloc(recordBytes);
    const have = await readUpTo(holder.file, bytes, (record - holder.firstRecord) * recordBytes);
    return have === recordBytes ? bytes : undefined;
  };
  const find = async (digest: Uint8Array): Promise<WrappedStudyKey | undefined> => {
    for (const record of byDigest.candidates(Buffer.from(digest).readUInt32BE(0))) {
      const kept = decodeRecord((await readRecord(record)) ?? Buffer.alloc(0));
      if (kept?.digest.equals(digest)) return kept.key;
    }
    return undefined;
  };
  const recordsOf = async (studyToken: string): Promise<{ record: number; bytes: Buffer; key: WrappedStudyKey }[]> => {
    const found: { record: number; bytes: Buffer; key: WrappedStudyKey }[] = [];
    for (const record of byToken.candidates(Number.parseInt(studyToken.slice(0, 8), 16))) {
      const bytes = await readRecord(record);
      const kept = bytes && decodeRecord(bytes);
      if (bytes !== undefined && kept?.key.studyToken === studyToken) found.push({ record, bytes, key: kept.key });
    }
    return found;
  };
  const put = async (digest: Uint8Array, key: WrappedStudyKey): Promise<WrappedStudyKey> => {
    const standing = await find(digest);
    if (standing !== undefined) return standing;
    const bytes = encodeRecord(digest, key);
    know(bytes, await (await current()).append(bytes));
    return key;
  };
  const erase = async (studyToken: string): Promise<boolean> => {
    const standing = await recordsOf(studyToken);
    for (const { record, bytes } of standing) {
      const holder = keyFiles.findLast((each) => each.firstRecord <= record) as KeyFile;
      await holder.overwrite(record, encodeErased(studyToken));
      byDigest.remove(bytes.readUInt32BE(4), record);
      byToken.remove(bytes.readUInt32BE(36), record);
      count--;
    }
    return standing.length > 0;
  };
  const guarded = <Result>(work: Promise<Result>, doing: string): Promise<Result> =>
    work.catch((error) => {
      throw asProblem(error, doing);
    });

  const loadAll = async () => {
    await files.makeFolder(folder);
    for (const name of await files.list(folder)) {
      const serial = Number(namePattern.exec(name)?.[1] ?? 0);
      if (serial === 0) continue;
      await load(name);
      nextSerial = Math.max(nextSerial, serial + 1);
    }
  };
  try {
    await loadAll();
  } catch (error) {
    await Promise.allSettled(keyFiles.map((each) => each.close()));
    throw asProblem(error, "opening the key store");
  }

  return {
    get: (digest) => guarded(find(digest), "reading the key store"),
    byToken: (studyToken) =>
      guarded(
        recordsOf(studyToken).then(([latest]) => latest?.key),
        "reading the key store",
      ),
    async putIfAbsent(digest, key) {
      if (digest.length !== digestBytes || key.wrappedKey.length > wrappedKeyBytesMax) {
        throw new Problem("invalid", "a study key does not fit its record");
      }
      const name = Buffer.from(digest).toString("hex");
      const before = underWay.get(name);
      if (before !== undefined) return before;
      const pending = guarded(put(digest, key), "keeping the key of a study").finally(() => underWay.delete(name));
      underWay.set(name, pending);
      return pending;
    },
    delete: (studyToken) => guarded(erase(studyToken), "shredding a study"),
    count: () => count,
    async close() {
      await Promise.allSettled(underWay.values());
      await Promise.all(keyFiles.map((each) => each.close()));
    },
  };
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
