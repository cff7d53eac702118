import { createHash } from "node:crypto";
import type { OpenFile } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import { type Medium, readUpTo, withFile } from "./medium.ts";
import { type Extent, endOf, type KnownFiles, type SavedFile, type SavedFolder } from "./point.ts";
import type { GrowingFile, GrowingFolder } from "./sources.ts";

const copyBytes = 4 * 1024 * 1024;
/** An extent ends here at the latest: an interrupted run does this much again at most. */
const extentBytesMax = 256 * 1024 * 1024;
/** Compaction may take away a file between listing and copying; what was in it is in another then. */
const listingsMax = 8;

export interface GrowingCopy {
  readonly medium: Medium;
  readonly sources: readonly GrowingFolder[];
  /** What lies in the backup already. Kept up to date, so that it is true whenever the run ends. */
  readonly known: KnownFiles;
  readonly now: () => number;
  /** An extent is on stable storage. */
  readonly copied: (bytes: number) => Promise<void>;
  readonly tell: (copiedBytes: number, totalBytes: number) => void;
}

/** Copies what is new in growing files, up to ends that are taken in the order of the sources. */
export async function copyGrowing(copy: GrowingCopy): Promise<{ folders: SavedFolder[]; takenAt: number }> {
  for (let listings = 1; ; listings++) {
    const takenAt = copy.now();
    const taken: { source: GrowingFolder; files: readonly GrowingFile[] }[] = [];
    for (const source of copy.sources) taken.push({ source, files: await source.take() });
    try {
      return { folders: await copyTaken(copy, taken), takenAt };
    } catch (error) {
      if (!isProblem(error, "absent")) throw error;
      if (listings < listingsMax) continue;
      throw new Problem("busy", "files that a backup copies went away faster than it could copy them", {
        remedy: "run it again when compaction is over",
        cause: error,
      });
    }
  }
}

async function copyTaken(
  copy: GrowingCopy,
  taken: readonly { source: GrowingFolder; files: readonly GrowingFile[] }[],
): Promise<SavedFolder[]> {
  const { medium, known } = copy;
  const knownEnd = (folder: string, id: string) => endOf(known.get(folder)?.get(id) ?? { extents: [] });
  const missing = taken.flatMap(({ source, files }) =>
    files.map((file) => Math.max(0, file.endPosition - knownEnd(source.name, file.id))),
  );
  const totalBytes = missing.reduce((sum, bytes) => sum + bytes, 0);
  let copiedBytes = 0;
  const folders: SavedFolder[] = [];
  for (const { source, files } of taken) {
    await medium.files.makeFolder(medium.path(source.name));
    const byId = known.get(source.name) ?? new Map<string, SavedFile>();
    known.set(source.name, byId);
    const saved: SavedFile[] = [];
    for (const file of files) {
      const { id, restoredName, besides } = file;
      if (file.endPosition === 0) continue;
      const keep = (extents: readonly Extent[]) => byId.set(id, { id, restoredName, besides, extents });
      const extents = await copyFile(copy, source, file, byId.get(id), async (so, bytes) => {
        copiedBytes += bytes;
        copy.tell(copiedBytes, totalBytes);
        if (endOf({ extents: so }) >= endOf(byId.get(id) ?? { extents: [] })) keep(so);
        await copy.copied(bytes);
      });
      saved.push({ id, restoredName, besides, extents });
    }
    // Names too that an earlier run made and could not sync.
    await medium.files.syncFolder(medium.path(source.name));
    folders.push({ name: source.name, files: saved });
  }
  return folders;
}

type Kept = (extents: readonly Extent[], bytes: number) => Promise<void>;

async function copyFile(
  copy: GrowingCopy,
  source: GrowingFolder,
  { id, endPosition, besides }: GrowingFile,
  known: SavedFile | undefined,
  kept: Kept,
): Promise<readonly Extent[]> {
  const { medium } = copy;
  const before = known?.extents ?? [];
  const path = medium.path(source.name, id);
  const isThere = await medium.files.exists(path);
  if (!isThere) await withFile(medium.files, path, "create", async () => {});
  return withFile(medium.files, path, "update", async (into) => {
    const haveBytes = await into.size();
    // A file that lost its end in the backup gets it again from where it is whole.
    const extents = before.filter(({ to }) => to <= Math.min(endPosition, haveBytes));
    const provenTo = Math.min(haveBytes, endOf({ extents: before }));
    while (endOf({ extents }) < endPosition) {
      const from = endOf({ extents });
      const to = Math.min(endPosition, from + extentBytesMax);
      const sha256 = await copyRange(source, id, into, { from, to, provenTo });
      const isEnd = to === endPosition;
      const countedTo = extents.findLast(({ objects }) => objects !== undefined)?.to ?? 0;
      const objects = isEnd ? { objects: await source.countObjects(id, countedTo, to) } : {};
      await into.sync();
      extents.push({ to, sha256, ...objects });
      await kept([...extents], to - from);
    }
    // What lies beside a file says what of it is found.
    if (known === undefined || known.besides.join() === besides.join()) return extents;
    const objects = await source.countObjects(id, 0, endPosition);
    return extents.map(({ to, sha256 }) => ({ to, sha256, ...(to === endPosition && { objects }) }));
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
  /** Up to here older points may rest on what lies in the backup: it is compared, never written over. */
  readonly provenTo: number;
}

/** Copies a range, reading ahead while it writes; its SHA-256. */
async function copyRange(source: GrowingFolder, id: string, into: OpenFile, range: Range): Promise<string> {
  const hash = createHash("sha256");
  const bytesMax = Math.min(copyBytes, range.to - range.from);
  const buffers = [Buffer.alloc(bytesMax), Buffer.alloc(bytesMax)] as const;
  const readPiece = async (position: number, turn: number): Promise<Buffer> => {
    const piece = (buffers[turn % 2] as Buffer).subarray(0, range.to - position);
    const have = await readUpTo((part, at) => source.read(id, at, part), piece, position);
    if (have === piece.length) return piece;
    throw new Problem("damaged", `${source.name}/${id} of the home is shorter than what it acknowledged`, {
      remedy: "leadglass vault check tells what is lost; restore it from an older point of a backup",
    });
  };
  let position = range.from;
  let next = readPiece(position, 0);
  for (let turn = 1; position < range.to; turn++) {
    const piece = await next;
    const after = position + piece.length;
    hash.update(piece);
    next = after < range.to ? readPiece(after, turn) : Promise.resolve(piece);
    // It is awaited in the next turn, or not at all when writing fails.
    next.catch(() => {});
    const compared = Math.max(0, Math.min(piece.length, range.provenTo - position));
    if (compared > 0) await compare(`${source.name}/${id}`, into, piece.subarray(0, compared), position);
    if (compared < piece.length) await into.write([piece.subarray(compared)], position + compared);
    position = after;
  }
  return hash.digest("hex");
}

async function compare(name: string, kept: OpenFile, piece: Buffer, position: number): Promise<void> {
  const there = Buffer.alloc(piece.length);
  await readUpTo((part, at) => kept.read(part, at), there, position);
  if (there.equals(piece)) return;
  throw new Problem("conflict", `${name} of the backup is not the beginning of the file in the home`, {
    remedy: "verify the backup (--verify), or begin another in an empty folder",
  });
}
