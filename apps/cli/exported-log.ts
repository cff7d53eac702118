import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "#base/problem";
import { exportedLogNames as names } from "#formats/api";
import { type LogVerdict, splitNotes, verifyLog } from "#trust/audit";

export interface Trusted {
  /** File with the log's public key, had by another way than the export. */
  readonly keyFile?: string | undefined;
  readonly witnessKeys?: readonly string[] | undefined;
  /** Files with checkpoints of this log that the auditor kept from before. */
  readonly seenFiles?: readonly string[] | undefined;
}

/** Proves an exported log. What is wrong with it is in the verdict; rejects when there is nothing to be read, or no key. */
export async function verifyExport(folder: string, trusted: Trusted = {}): Promise<LogVerdict> {
  const notesIn = async (path: string) => splitNotes(textOf(await bytesOf(path)));
  const verifierKey = await keyIn(trusted.keyFile ?? join(folder, names.key));
  const checkpoints = await notesIn(join(folder, names.checkpoints));
  const seen = (await Promise.all((trusted.seenFiles ?? []).map(notesIn))).flat();
  const { witnessKeys = [] } = trusted;
  const text = createReadStream(join(folder, names.entries), { highWaterMark: 1024 * 1024 });
  try {
    return await verifyLog({ text, checkpoints, verifierKey, witnessKeys, seen });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined || cause instanceof Problem) throw cause;
    throw unreadable(join(folder, names.entries), cause);
  }
}

/** A verifier key from a file with one line. */
export async function keyIn(path: string): Promise<string> {
  return textOf(await bytesOf(path)).replace(/\n$/, "");
}

const bytesOf = (path: string) =>
  readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });

const unreadable = (path: string, cause: unknown) =>
  new Problem("absent", `cannot read ${path}`, { remedy: "name a folder that `audit export` wrote", cause });

/** As it is: a mark of byte order stays, and what is no UTF-8 becomes what no note may hold. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : "\0";
}
