import type { Files, OpenFile } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import type { Turns } from "#base/turns";
import {
  type Compacted,
  type Compacting,
  type FoundObject,
  headerInNewPack,
  type PackRange,
  type ReadAt,
  scanObjects,
} from "#trust/vault";
import type { Forwards } from "./forwards.ts";
import { copyingName, goneName, parseName } from "./names.ts";
import { acknowledgedEnd, type CopiedObject, isVoid, type Pack } from "./pack.ts";
import type { PackFolder } from "./pack-folder.ts";
import type { ReadHandles } from "./read-handles.ts";
import type { Room } from "./room.ts";

export interface CompactionParts {
  readonly files: Files;
  readonly folder: PackFolder;
  /** Of all names; changed here when a pack takes the place of another. */
  readonly packs: Map<string, Pack>;
  readonly handles: ReadHandles;
  readonly forwards: Forwards;
  readonly room: Room;
  /** Held while packs change places; discarding holds it too, so that nothing is discarded in one copy only. */
  readonly changing: Turns;
  newName(): string;
  /** Packs that a replica is to remove, where there is one. */
  readonly gone: Set<string> | undefined;
  /** There is something new about a pack. */
  changed(pack: Pack): void;
  /** Throws when the store is being closed. */
  checkOpen(): void;
}

/** Copied between two looks at the disk; what is unsynced stays small, or a sync of the ingest would wait behind it. */
const pushBytes = 16 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

/**
 * Moves what stays of an ended pack into a new one. The steps on disk, each durable before the next:
 *
 * 1. copies go to a `.copying` file, are synced and proven            a stop here: the file is removed at the next start
 * 2. it is renamed `.taking`                                           from here both packs can be read; the old one counts
 * 3. `moved`: the index knows the new places                           a stop here: `compact` does 3 to 5 again
 * 4. the old file is removed                                           from here the new one counts
 * 5. the new one is renamed `.pack`                                    a stop here: the next start renames it
 */
export async function compactPack(parts: CompactionParts, old: Pack, how: Compacting): Promise<Compacted> {
  const { packs } = parts;
  let copy = [...packs.values()].find(({ taking }) => taking?.from === old.name);
  if (copy === undefined) {
    const copied = await copyPack(parts, old, how);
    if ("damaged" in copied) return { objects: 0, freedBytes: 0, damaged: [copied.damaged] };
    copy = copied.pack;
  }
  return parts.changing.take(() => changePlaces(parts, old, copy, how));
}

async function changePlaces(
  parts: CompactionParts,
  old: Pack,
  copy: Pack | undefined,
  how: Compacting,
): Promise<Compacted> {
  const { folder } = parts;
  const moves = copy?.taking?.moves ?? [];
  if (copy !== undefined) {
    const late = moves.filter(({ from }) => isVoid(old, from.start));
    await folder.addVoids(late.map(({ to }) => ({ pack: copy, range: { from: to.start, to: to.endPosition } })));
    await folder.take(copy, old.name).catch(async (error) => {
      // Without its new name it is still a copy that nobody needs.
      if (copy.fileName === copyingName(copy.name, old.name)) await removeCopy(parts, copy);
      throw error;
    });
  }
  await how.moved(moves.map(asMove), copy && { pack: copy.name, position: acknowledgedEnd(copy) });
  await removeOld(parts, old, copy, moves);
  if (copy !== undefined) await folder.end(copy);
  parts.changed(copy ?? old);
  const freedBytes = acknowledgedEnd(old) - (copy === undefined ? 0 : acknowledgedEnd(copy));
  return { objects: moves.length, freedBytes, damaged: [] };
}

const placeOf = ({ pack, offset }: FoundObject) => ({ pack, offset });
const asMove = ({ from, to }: CopiedObject) => ({ from: placeOf(from), to: placeOf(to) });

/** Who reads the old file goes on; from here every look finds the new pack. */
async function removeOld(
  parts: CompactionParts,
  old: Pack,
  copy: Pack | undefined,
  moves: readonly CopiedObject[],
): Promise<void> {
  const { files, folder, packs, forwards, handles } = parts;
  if (parts.gone !== undefined) {
    const note = await files.open(`${folder.path}/${goneName(old.name)}`, "create").catch(unlessThere);
    await note?.close();
  }
  const { taking } = copy ?? {};
  forwards.add(old.name, copy?.name, moves);
  packs.delete(old.name);
  if (copy !== undefined) copy.taking = undefined;
  handles.forget(old.name);
  try {
    await files.remove(folder.pathOf(old));
  } catch (error) {
    packs.set(old.name, old);
    if (copy !== undefined) copy.taking = taking;
    throw error;
  }
  parts.gone?.add(old.name);
  await folder.sync();
  // Without their pack they mean nothing; one that is left behind by a stop does no harm.
  for (const name of await files.list(folder.path)) {
    const parsed = parseName(name);
    if (parsed?.kind === "void" && parsed.pack === old.name) await files.remove(`${folder.path}/${name}`);
  }
}

function unlessThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EEXIST") throw error;
}

/** The copy in the making: its file, and what is in it. */
interface Copy {
  readonly pack: Pack;
  readonly file: OpenFile;
  readonly moves: CopiedObject[];
  position: number;
  pushedTo: number;
}

/** The new pack, proven and not yet named; none when nothing stays. What is damaged is told, and nothing is changed. */
async function copyPack(
  parts: CompactionParts,
  old: Pack,
  how: Compacting,
): Promise<{ readonly pack: Pack | undefined } | { readonly damaged: PackRange }> {
  const reader = await parts.handles.lease(old.name);
  let copy: Copy | undefined;
  try {
    const range = { pack: old.name, from: 0, to: acknowledgedEnd(old), voids: old.voids };
    for await (const found of scanObjects(reader.read, range)) {
      parts.checkOpen();
      const fate = await fateOf(found, how);
      if (fate === "damaged") {
        if (copy !== undefined) await removeCopy(parts, copy.pack, copy.file);
        return { damaged: rangeOf(found) };
      }
      if (fate === "goes" || "gapFrom" in found) continue;
      copy ??= await beginCopy(parts, old);
      await copyObject(parts, reader.read, found, copy);
    }
    if (copy === undefined) return { pack: undefined };
    await copy.file.sync();
    copy.pack.endPosition = copy.position;
    await proveCopies(copy, how);
    await copy.file.close();
    return { pack: copy.pack };
  } catch (error) {
    if (copy !== undefined) await removeCopy(parts, copy.pack, copy.file);
    throw error;
  } finally {
    reader.release();
  }
}

function rangeOf(found: FoundObject | { pack: string; gapFrom: number; gapTo: number }): PackRange {
  if ("gapFrom" in found) return { pack: found.pack, from: found.gapFrom, to: found.gapTo };
  return { pack: found.pack, from: found.start, to: found.endPosition };
}

async function fateOf(
  found: FoundObject | { readonly gapFrom: number },
  how: Compacting,
): Promise<"stays" | "goes" | "damaged"> {
  if ("gapFrom" in found) return "damaged";
  try {
    return (await how.keeps(found)) ? "stays" : "goes";
  } catch (error) {
    if (isProblem(error, "damaged")) return "damaged";
    throw error;
  }
}

async function beginCopy(parts: CompactionParts, old: Pack): Promise<Copy> {
  const { files, folder, packs } = parts;
  const name = parts.newName();
  const fileName = copyingName(name, old.name);
  const file = await files.open(`${folder.path}/${fileName}`, "create");
  const moves: CopiedObject[] = [];
  const pack: Pack = { name, fileName, endPosition: 0, voids: [], taking: { from: old.name, moves } };
  packs.set(name, pack);
  return { pack, file, moves, position: 0, pushedTo: 0 };
}

async function removeCopy(parts: CompactionParts, pack: Pack, file?: OpenFile): Promise<void> {
  await file?.close().catch(() => {});
  parts.handles.forget(pack.name);
  parts.packs.delete(pack.name);
  await parts.files.remove(parts.folder.pathOf(pack)).catch(() => {});
}

async function copyObject(parts: CompactionParts, read: ReadAt, from: FoundObject, copy: Copy): Promise<void> {
  await parts.room.take(from.endPosition - from.start);
  const start = copy.position;
  const piece = Buffer.alloc(Math.min(pieceBytes, from.endPosition - from.start));
  for (let at = from.start; at < from.endPosition; ) {
    const wanted = Math.min(piece.length, from.endPosition - at);
    const have = await readFull(read, at, piece.subarray(0, wanted));
    if (have < wanted) throw new Problem("damaged", "a pack ends inside an object");
    const bytes = piece.subarray(0, have);
    if (at === from.start) headerOf(bytes).copy(bytes, 0);
    await copy.file.write([bytes], copy.position);
    copy.position += have;
    at += have;
    if (copy.position - copy.pushedTo < pushBytes) continue;
    copy.pushedTo = copy.position;
    await copy.file.sync();
  }
  const moved = start - from.start;
  const { endPosition, offset } = from;
  const to = { ...from, pack: copy.pack.name, start, offset: offset + moved, endPosition: endPosition + moved };
  copy.moves.push({ from, to });
}

function headerOf(bytes: Buffer): Buffer {
  const header = headerInNewPack(bytes);
  if (header === undefined) throw new Problem("damaged", "the header of an object is broken");
  return header;
}

async function readFull(read: ReadAt, position: number, into: Buffer): Promise<number> {
  let have = 0;
  while (have < into.length) {
    const count = await read(position + have, into.subarray(have));
    if (count === 0) break;
    have += count;
  }
  return have;
}

/** Every copy is found where it is said to be, and proves, before an original goes. */
async function proveCopies({ pack, file, moves, position }: Copy, how: Compacting): Promise<void> {
  const expected = new Map(moves.map(({ to }) => [to.start, to.id]));
  const read: ReadAt = (at, into) => file.read(into, at);
  for await (const found of scanObjects(read, { pack: pack.name, from: 0, to: position })) {
    if ("gapFrom" in found || expected.get(found.start) !== found.id) break;
    expected.delete(found.start);
    await how.keeps(found);
  }
  if (expected.size > 0) throw new Problem("fault", "a copied pack does not hold what was copied into it");
}

/** What a stop left in two packs: objects of the same id. */
export async function movesBetween(from: AsyncIterable<Found>, to: AsyncIterable<Found>): Promise<CopiedObject[]> {
  const originals = new Map<string, FoundObject>();
  for await (const found of from) if ("id" in found) originals.set(found.id, found);
  const moves: CopiedObject[] = [];
  for await (const found of to) {
    const original = "id" in found ? originals.get(found.id) : undefined;
    if (original !== undefined) moves.push({ from: original, to: found as FoundObject });
  }
  return moves;
}

type Found = FoundObject | { readonly gapFrom: number };
