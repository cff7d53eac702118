import { Problem } from "#base/problem";
import type { BackupBox } from "#trust/vault";

/** A stretch of a growing file, from the end of the one before. */
export interface Extent {
  readonly to: number;
  readonly sha256: string;
  /** Objects up to here since the last extent that has a count. Without one the extent may end within an object. */
  readonly objects?: number;
}

export interface SavedFile {
  readonly id: string;
  readonly restoredName: string;
  readonly besides: readonly string[];
  readonly extents: readonly Extent[];
}

export interface SavedFolder {
  readonly name: string;
  readonly files: readonly SavedFile[];
}

/** A file in the backup that is written once: its name, and what it holds. */
export interface Piece {
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface SavedState extends Piece {
  readonly name: string;
}

/** Lines `from` to `to` of the log and its checkpoints `notesFrom` to `notesTo`. */
export interface LogPiece extends Piece {
  readonly from: number;
  readonly to: number;
  readonly notesFrom: number;
  readonly notesTo: number;
  /** Of the lines alone: tells a log that was continued from one that is another. */
  readonly linesSha256: string;
}

/** The home as it was at one moment. */
export interface Point {
  readonly serial: number;
  /** Epoch ms. Everything that was acknowledged before is in it. */
  readonly takenAt: number;
  readonly folders: readonly SavedFolder[];
  readonly states: readonly SavedState[];
  readonly log: readonly LogPiece[];
}

/** What an unfinished run has put into growing files, so that the next need not do it again. */
export interface Progress {
  readonly folders: readonly SavedFolder[];
}

/** The keys as they were last; every point is restored with these. */
export interface KeySet {
  /** SHA-256 of the settings that stand beside it in the clear. */
  readonly settingsSha256: string;
  readonly folders: readonly {
    readonly name: string;
    readonly files: readonly { readonly name: string; readonly pieces: readonly Piece[] }[];
  }[];
}

export const pointContext = (serial: number) => `point ${serial}`;
export const pieceContext = (what: string) => `piece ${what}`;
export const progressContext = "progress";
export const keySetContext = "keys";

export function seal(box: BackupBox, context: string, content: Point | Progress | KeySet): Buffer {
  return box.seal(context, Buffer.from(JSON.stringify(content), "utf8"));
}

/** What was sealed proves itself: its shape is ours. */
export function open<Content extends Point | Progress | KeySet>(
  box: BackupBox,
  context: string,
  sealed: Uint8Array,
): Content {
  const text = box.open(context, sealed).toString("utf8");
  try {
    return JSON.parse(text) as Content;
  } catch (cause) {
    throw new Problem("damaged", "a manifest of the backup is none", { cause });
  }
}

export const endOf = (file: Pick<SavedFile, "extents">): number => file.extents.at(-1)?.to ?? 0;

export function bytesOf(point: Point): number {
  const growing = point.folders.flatMap(({ files }) => files.map(endOf));
  const pieces = [...point.states, ...point.log].map(({ sizeBytes }) => sizeBytes);
  return [...growing, ...pieces].reduce((sum, bytes) => sum + bytes, 0);
}

export function objectsOf(point: Point): number {
  const extents = point.folders.flatMap(({ files }) => files.flatMap((file) => file.extents));
  return extents.reduce((sum, { objects = 0 }) => sum + objects, 0);
}

/** Growing files by folder and id. */
export type KnownFiles = Map<string, Map<string, SavedFile>>;

/** Adds up what is known to lie in growing files: of two accounts of one file, the longer. */
export function knownFiles(accounts: Iterable<readonly SavedFolder[]>): KnownFiles {
  const known: KnownFiles = new Map();
  for (const folders of accounts) {
    for (const { name, files } of folders) {
      const byId = known.get(name) ?? new Map<string, SavedFile>();
      known.set(name, byId);
      for (const file of files) {
        const before = byId.get(file.id);
        if (before === undefined || endOf(before) < endOf(file)) byId.set(file.id, file);
      }
    }
  }
  return known;
}

export function foldersOf(known: KnownFiles): SavedFolder[] {
  return [...known].map(([name, byId]) => ({ name, files: [...byId.values()] }));
}
