import type { OpenFile } from "#base/io";
import { recordBytes } from "./records.ts";

/** One file of records that is appended to. Those who append and overwrite at the same time share a sync. */
export interface KeyFile {
  readonly file: OpenFile;
  /** Number of its first record among the records of all files. */
  readonly firstRecord: number;
  records(): number;
  /** Resolves with the record's number when it is on stable storage. After one failure every call fails: take a new file. */
  append(record: Buffer): Promise<number>;
  /** Puts another record in the place of one, where nothing of it remains. Fails like `append`. */
  overwrite(number: number, record: Buffer): Promise<void>;
  hasFailed(): boolean;
  close(): Promise<void>;
}

interface Batch {
  readonly records: Buffer[];
  readonly first: number;
  readonly overwritten: { readonly number: number; readonly record: Buffer }[];
  readonly done: PromiseWithResolvers<void>;
}

export function createKeyFile(file: OpenFile, firstRecord: number, sizeBytes: number): KeyFile {
  // A torn record at the end keeps its place; it fails its check and is nobody's.
  let count = Math.ceil(sizeBytes / recordBytes);
  let batch: Batch | undefined;
  let pump: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  const run = async () => {
    while (batch !== undefined) {
      const { records, first, overwritten, done } = batch;
      batch = undefined;
      try {
        if (failure !== undefined) throw failure.error;
        if (records.length > 0) await file.write(records, first * recordBytes);
        for (const { number, record } of overwritten) await file.write([record], (number - firstRecord) * recordBytes);
        await file.sync();
        done.resolve();
      } catch (error) {
        failure ??= { error };
        done.reject(failure.error);
      }
    }
    pump = undefined;
  };
  const join = (): Batch => {
    batch ??= { records: [], first: count, overwritten: [], done: Promise.withResolvers() };
    // Begins behind this turn of the loop, so that all who ask in it share the sync.
    pump ??= Promise.resolve().then(run);
    return batch;
  };
  return {
    file,
    firstRecord,
    records: () => count,
    hasFailed: () => failure !== undefined,
    async append(record) {
      const { records, done } = join();
      records.push(record);
      const number = firstRecord + count++;
      await done.promise;
      return number;
    },
    overwrite(number, record) {
      const { overwritten, done } = join();
      overwritten.push({ number, record });
      return done.promise;
    },
    async close() {
      await pump;
      await file.close();
    },
  };
}
