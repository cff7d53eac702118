import type { Files } from "#base/io";
import { asProblem, Problem } from "#base/problem";
import { createKeyedTurns } from "#base/turns";
import { type KeyStore, type WrappedStudyKey, wrappedKeyBytesMax } from "#trust/vault";
import { openKeyFiles } from "./key-files.ts";
import { decodeRecord, digestBytes, encodeErased, encodeRecord, encodeReplaced, type KeyRecord } from "./records.ts";
import { createSlots } from "./slots.ts";

interface Standing extends KeyRecord {
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * Wrapped study keys in append-only files of one folder; only what was deleted or replaced is overwritten in place. In memory rest 32
 * bytes a study, the records are read when they are asked for.
 */
export async function createFileKeyStore(options: {
  readonly files: Files;
  /** Made when it is not there. */
  readonly folder: string;
  readonly recordsPerFile?: number;
}): Promise<KeyStore> {
  const { files, folder, recordsPerFile = 65_536 } = options;
  const byDigest = createSlots();
  const byToken = createSlots();
  const underWay = new Map<string, Promise<WrappedStudyKey>>();
  /** What changes the key of one study comes one after the other. */
  const turns = createKeyedTurns();
  let count = 0;

  const know = (bytes: Buffer, number: number) => {
    byDigest.add(bytes.readUInt32BE(4), number);
    byToken.add(bytes.readUInt32BE(36), number);
    count++;
  };
  const forget = ({ bytes, number }: Standing) => {
    byDigest.remove(bytes.readUInt32BE(4), number);
    byToken.remove(bytes.readUInt32BE(36), number);
    count--;
  };
  /** Tokens that a crash between the two steps of a replacement may have left twice. */
  const doubled = new Set<string>();
  const seen = (bytes: Buffer, number: number) => {
    if (byToken.candidates(bytes.readUInt32BE(36)).length > 0) doubled.add(bytes.toString("hex", 36, 52));
    know(bytes, number);
  };
  const keyFiles = await openKeyFiles({ files, folder, recordsPerFile, seen }).catch((error) => {
    throw asProblem(error, "opening the key store");
  });

  const readStanding = async (
    numbers: readonly number[],
    isMeant: (record: KeyRecord) => boolean,
  ): Promise<Standing[]> => {
    const found: Standing[] = [];
    for (const number of numbers) {
      const bytes = await keyFiles.read(number);
      const record = bytes && decodeRecord(bytes);
      if (bytes !== undefined && record !== undefined && isMeant(record)) found.push({ ...record, number, bytes });
    }
    return found;
  };
  /** Latest first. One that is replaced while its record is read is looked for again: the new record is known before the old one goes. */
  const look = async (
    candidates: () => readonly number[],
    isMeant: (record: KeyRecord) => boolean,
  ): Promise<Standing[]> => {
    for (let numbers = candidates(); ; ) {
      const found = await readStanding(numbers, isMeant);
      const now = candidates();
      if (found.length > 0 || String(numbers) === String(now)) return found;
      numbers = now;
    }
  };
  const ofDigest = (digest: Uint8Array) => {
    const hash = Buffer.from(digest).readUInt32BE(0);
    return look(
      () => byDigest.candidates(hash),
      (record) => record.digest.equals(digest),
    );
  };
  const ofToken = (studyToken: string) => {
    const hash = Number.parseInt(studyToken.slice(0, 8), 16);
    return look(
      () => byToken.candidates(hash),
      (record) => record.key.studyToken === studyToken,
    );
  };
  /** Oldest first: a crash between two leaves the wrapping that stood last. */
  const retire = async (standing: readonly Standing[], as: (studyToken: string) => Buffer): Promise<void> => {
    for (const each of standing.toReversed()) {
      await keyFiles.overwrite(each.number, as(each.key.studyToken));
      forget(each);
    }
  };
  const put = async (digest: Uint8Array, key: WrappedStudyKey): Promise<WrappedStudyKey> => {
    const [standing] = await ofDigest(digest);
    if (standing !== undefined) return standing.key;
    const bytes = encodeRecord(digest, key);
    know(bytes, await keyFiles.append(bytes));
    return key;
  };
  const swap = async (studyToken: string, wrappedKey: Buffer, expected?: Buffer): Promise<boolean> => {
    const before = await ofToken(studyToken);
    const latest = before[0];
    if (latest === undefined || (expected !== undefined && !latest.key.wrappedKey.equals(expected))) return false;
    const bytes = encodeRecord(latest.digest, { studyToken, wrappedKey });
    know(bytes, await keyFiles.append(bytes));
    await retire(before, encodeReplaced);
    return true;
  };
  const erase = async (studyToken: string): Promise<boolean> => {
    const standing = await ofToken(studyToken);
    await retire(standing, encodeErased);
    return standing.length > 0;
  };
  const guarded = <Result>(work: Promise<Result>, doing: string): Promise<Result> =>
    work.catch((error) => {
      throw asProblem(error, doing);
    });

  try {
    for (const studyToken of doubled) await retire((await ofToken(studyToken)).slice(1), encodeReplaced);
  } catch (error) {
    await keyFiles.close().catch(() => {});
    throw asProblem(error, "opening the key store");
  }
  return {
    get: (digest) =>
      guarded(
        ofDigest(digest).then(([latest]) => latest?.key),
        "reading the key store",
      ),
    byToken: (studyToken) =>
      guarded(
        ofToken(studyToken).then(([latest]) => latest?.key),
        "reading the key store",
      ),
    async putIfAbsent(digest, key) {
      checkFits(digest, key.wrappedKey);
      const name = Buffer.from(digest).toString("hex");
      const before = underWay.get(name);
      if (before !== undefined) return before;
      const pending = guarded(put(digest, key), "keeping the key of a study").finally(() => underWay.delete(name));
      underWay.set(name, pending);
      return pending;
    },
    async replace(studyToken, wrappedKey, standing) {
      checkFits(undefined, wrappedKey);
      const swapped = turns.take(studyToken, () => swap(studyToken, wrappedKey, standing));
      return guarded(swapped, "wrapping the key of a study anew");
    },
    delete: (studyToken) =>
      guarded(
        turns.take(studyToken, () => erase(studyToken)),
        "shredding a study",
      ),
    async *all() {
      await Promise.allSettled([...underWay.values(), turns.idle()]);
      try {
        for await (const bytes of keyFiles.readAll(byToken.records())) {
          const found = decodeRecord(bytes)?.key ?? (await ofToken(bytes.toString("hex", 36, 52)))[0]?.key;
          if (found !== undefined) yield found;
        }
      } catch (error) {
        throw asProblem(error, "reading the key store");
      }
    },
    count: () => count,
    async close() {
      await Promise.allSettled([...underWay.values(), turns.idle()]);
      await keyFiles.close();
    },
  };
}

function checkFits(digest: Uint8Array | undefined, wrappedKey: Buffer): void {
  if ((digest?.length ?? digestBytes) === digestBytes && wrappedKey.length <= wrappedKeyBytesMax) return;
  throw new Problem("invalid", "a study key does not fit its record");
}
