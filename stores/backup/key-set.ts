import { newToken, type Random } from "#base/id";
import type { Files, OpenFile } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import type { BackupBox } from "#trust/vault";
import {
  encodeKeySetFile,
  type KeySetFile,
  type Medium,
  names,
  readPiece,
  readUpTo,
  readWhole,
  settingsDigest,
  sha256,
  withFile,
  writeInPlaceOf,
  writePiece,
} from "./medium.ts";
import type { KeySet, Piece } from "./point.ts";
import type { KeySource } from "./sources.ts";

const pieceBytes = 1024 * 1024;
const readingsMax = 256;

export interface KeyCopy {
  readonly medium: Medium;
  readonly box: BackupBox;
  readonly random: Random;
  /** Of the home. */
  readonly files: Files;
  readonly keys: KeySource;
}

/**
 * Makes the keys in the backup those that the home has now, and leaves no byte of any other: pieces that changed are written
 * anew, the table is switched in one rename, pieces that nothing names are overwritten and removed. Rejects with Problem
 * "damaged", and changes nothing, when keys are missing that were never destroyed: the backup may hold the only ones.
 */
export async function refreshKeys(copy: KeyCopy): Promise<KeySet> {
  const { medium, box } = copy;
  await medium.files.makeFolder(medium.path(names.keys));
  // A table that is damaged tells nothing, and the home has the keys: it is made anew.
  const before = await medium.keySet().catch(unlessDamaged);
  // Keys of a new generation without its master key, or the other way round, would open nothing.
  const [settings, folders] = await copy.keys.steadily(async () => [
    await readSettings(copy),
    await copyFolders(copy, before),
  ]);
  const table: KeySet = { settingsSha256: settingsDigest(settings), folders };
  await checkNothingLost(copy, before, table);
  await medium.files.syncFolder(medium.path(names.keys));
  await writeInPlaceOf(medium.files, medium.folder, names.keySet, encodeKeySetFile(box, settings, table));
  await sweepKeys(medium, table);
  return table;
}

export const piecesOf = (table: KeySet): Piece[] =>
  table.folders.flatMap(({ files }) => files.flatMap(({ pieces }) => pieces));

function unlessDamaged(error: unknown): undefined {
  if (!isProblem(error, "damaged") && !isProblem(error, "absent")) throw error;
}

async function readSettings({ files, keys }: KeyCopy): Promise<KeySetFile["settings"]> {
  const settings: { name: string; base64: string }[] = [];
  for (const { name, path } of keys.settings) {
    if (await files.exists(path)) settings.push({ name, base64: (await readWhole(files, path)).toString("base64") });
  }
  return settings;
}

async function copyFolders(copy: KeyCopy, before: KeySet | undefined): Promise<KeySet["folders"]> {
  const { files, keys } = copy;
  const folders: { name: string; files: { name: string; pieces: Piece[] }[] }[] = [];
  for (const { name, folder } of keys.folders) {
    const old = before?.folders.find((each) => each.name === name)?.files ?? [];
    const saved = new Map<string, Piece[]>();
    const unread = async () => (await files.list(folder)).filter((each) => keys.isKeyFile(each) && !saved.has(each));
    // A wrapping that takes the place of another is appended before the other goes. So what is read last is the end, as it is then.
    for (let names = await unread(); names.length > 0; names = await unread()) {
      for (const file of names) {
        const known = old.find((each) => each.name === file)?.pieces ?? [];
        saved.set(file, await copyKeyFile(copy, `${folder}/${file}`, known));
      }
    }
    folders.push({ name, files: [...saved].map(([file, pieces]) => ({ name: file, pieces })) });
  }
  return folders;
}

async function copyKeyFile(copy: KeyCopy, path: string, known: readonly Piece[]): Promise<Piece[]> {
  const { medium, random, files } = copy;
  return withFile(files, path, "read", async (file) => {
    const pieces: Piece[] = [];
    for (let at = 0; at < (await file.size()); at += pieceBytes) {
      const bytes = await readSteady(file, at);
      const same = known[pieces.length];
      const isSame = same?.sizeBytes === bytes.length && same.sha256 === sha256(bytes);
      const isThere = isSame && (await medium.files.exists(medium.path(names.keys, same.file)));
      pieces.push(isThere ? same : await writePiece(medium, names.keys, newToken(random), bytes));
    }
    return pieces;
  });
}

/** A piece up to the end of the file. What two readings in a row agree on is no half of two records, and lacks no later one. */
async function readSteady(file: OpenFile, at: number): Promise<Buffer> {
  let last: Buffer | undefined;
  for (let readings = 0; readings < readingsMax; readings++) {
    const into = Buffer.alloc(Math.min(pieceBytes, Math.max(0, (await file.size()) - at)));
    const next = into.subarray(0, await readUpTo((part, from) => file.read(part, from), into, at));
    if (last?.equals(next)) return next;
    last = next;
  }
  throw new Problem("busy", "a key file changes faster than a backup can take it", { remedy: "run it again" });
}

async function checkNothingLost(copy: KeyCopy, before: KeySet | undefined, table: KeySet): Promise<void> {
  const { medium, keys } = copy;
  if (before === undefined) return;
  for (const folder of before.folders) {
    const now = table.folders.find(({ name }) => name === folder.name)?.files.flatMap(({ pieces }) => pieces) ?? [];
    const then = folder.files.flatMap(({ pieces }) => pieces);
    const kept = new Set(now.map(({ file }) => file));
    const stayed = new Set(then.filter(({ file }) => kept.has(file)).map(({ file }) => file));
    const missing = new Set<string>();
    for (const piece of then) {
      if (stayed.has(piece.file)) continue;
      const bytes = await readPiece(medium, names.keys, piece).catch(unlessDamaged);
      for (const { token, isDestroyed } of keys.records(bytes ?? Buffer.alloc(0))) if (!isDestroyed) missing.add(token);
    }
    // What moved to another place stands in a piece that is new, or in one that stayed.
    for (const piece of now) {
      if (missing.size === 0) break;
      const bytes = await readPiece(medium, names.keys, piece).catch(unlessDamaged);
      for (const { token } of keys.records(bytes ?? Buffer.alloc(0))) missing.delete(token);
    }
    if (missing.size === 0) continue;
    const what = `${missing.size} keys that the backup has are gone from ${folder.name} of the home, and were never destroyed`;
    throw new Problem("damaged", `${what}: the backup keeps them`, {
      remedy: "restore the home from the backup, or begin another backup in an empty folder",
    });
  }
}

/** Overwrites and removes every piece that the table does not name. */
async function sweepKeys(medium: Medium, table: KeySet | undefined): Promise<void> {
  const named = new Set(table === undefined ? [] : piecesOf(table).map(({ file }) => file));
  const folder = medium.path(names.keys);
  const stray = (await medium.files.list(folder)).filter((name) => !named.has(name));
  for (const name of stray) await overwrite(medium.files, `${folder}/${name}`);
  if (stray.length > 0) await medium.files.syncFolder(folder);
}

async function overwrite(files: Files, path: string): Promise<void> {
  await withFile(files, path, "update", async (file) => {
    const zeros = Buffer.alloc(pieceBytes);
    const sizeBytes = await file.size();
    for (let at = 0; at < sizeBytes; at += zeros.length) {
      await file.write([zeros.subarray(0, Math.min(zeros.length, sizeBytes - at))], at);
    }
    await file.sync();
  });
  await files.remove(path);
}
