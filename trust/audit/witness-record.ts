import { hash } from "node:crypto";
import type { Files } from "#base/io";
import { asProblem, Problem } from "#base/problem";

/** The newest checkpoint that a witness signed, of each log. */
export interface WitnessRecord {
  read(log: string): Promise<string | undefined>;
  /** Replaces it whole, and resolves when it is on stable storage. After a rejection the old one or the new one is there. */
  write(log: string, note: string): Promise<void>;
}

const noteBytesMost = 64 * 1024;

/** One file for each log, named by the SHA-256 of the log's name, with the signed note in it. */
export function createWitnessRecord(files: Files, folder: string): WitnessRecord {
  const pathOf = (log: string) => `${folder}/log-${hash("sha256", log, "hex")}`;
  return {
    async read(log) {
      const path = pathOf(log);
      try {
        if (!(await files.exists(path))) return undefined;
        const file = await files.open(path, "read");
        const bytes = Buffer.alloc(noteBytesMost);
        const count = await file.read(bytes, 0).finally(() => file.close());
        if (count === 0) throw new Problem("damaged", "what the witness keeps of a log is empty");
        return bytes.subarray(0, count).toString("utf8");
      } catch (error) {
        throw asProblem(error, "reading what the witness keeps");
      }
    },
    async write(log, note) {
      const path = pathOf(log);
      try {
        // A new file each time: one whose sync failed is not written again.
        await files.remove(`${path}.new`);
        const file = await files.open(`${path}.new`, "create");
        try {
          await file.write([Buffer.from(note)], 0);
          await file.sync();
        } finally {
          await file.close();
        }
        await files.rename(`${path}.new`, path);
        await files.syncFolder(folder);
      } catch (error) {
        throw asProblem(error, "keeping what the witness signs");
      }
    },
  };
}
