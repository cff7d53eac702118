import { createHash } from "node:crypto";
import { isProblem } from "#base/problem";
import { piecesOf } from "./key-set.ts";
import { type Medium, names, readPiece, readUpTo, withFile } from "./medium.ts";
import { type Extent, endOf, type KeySet, type Piece, type Point, type SavedFile } from "./point.ts";

/** Something that a backup says it holds and does not hold as it was written. */
export interface Loss {
  /** Its place below the backup folder. */
  readonly name: string;
  /** What is lost with it. */
  readonly what: string;
  /** A growing file, which the home may still have. */
  readonly file?: { readonly folder: string; readonly id: string };
}

/** Reads back everything that any point names and compares it with what the manifests say. */
export async function verifyMedium(medium: Medium, tell: (progress: string) => void): Promise<Loss[]> {
  const losses: Loss[] = [];
  const points: Point[] = [];
  for (const serial of await medium.serials()) {
    try {
      points.push(await medium.point(serial));
    } catch (error) {
      if (!isProblem(error, "damaged")) throw error;
      losses.push({ name: error.message, what: `point ${serial} cannot be restored` });
    }
  }
  for (const [name, { file, extents }] of growingFiles(points)) {
    tell(`reading ${name}`);
    const folder = name.slice(0, name.lastIndexOf("/"));
    for (const gap of await damagedExtents(medium, folder, file.id, extents)) {
      losses.push({ name, what: whatIsLost(gap), file: { folder, id: file.id } });
    }
  }
  const pieces = new Map<string, readonly [kind: string, piece: Piece, what: string]>();
  for (const { serial, states, log } of points) {
    for (const state of states) pieces.set(state.file, [names.pieces, state, `${state.name} of point ${serial}`]);
    for (const part of log) pieces.set(part.file, [names.pieces, part, `lines ${part.from} to ${part.to} of the log`]);
  }
  for (const piece of piecesOf(await keySetOf(medium, losses))) {
    pieces.set(piece.file, [names.keys, piece, "keys: what is sealed under them cannot be opened"]);
  }
  for (const [kind, piece, what] of pieces.values()) {
    try {
      await readPiece(medium, kind, piece);
    } catch (error) {
      if (!isProblem(error, "damaged") && !isProblem(error, "absent")) throw error;
      losses.push({ name: `${kind}/${piece.file}`, what });
    }
  }
  return losses;
}

async function keySetOf(medium: Medium, losses: Loss[]): Promise<KeySet> {
  try {
    const found = await medium.keySet();
    if (found !== undefined) return found;
    losses.push({ name: names.keySet, what: "all keys" });
  } catch (error) {
    if (!isProblem(error, "damaged")) throw error;
    losses.push({ name: names.keySet, what: "all keys" });
  }
  return { settingsSha256: "", folders: [] };
}

/** Each growing file with all extents that any point gives it, by place below the backup folder. */
function growingFiles(points: readonly Point[]): Map<string, { file: SavedFile; extents: Extent[] }> {
  const all = new Map<string, { file: SavedFile; extents: Extent[] }>();
  for (const { name, files } of points.flatMap(({ folders }) => folders)) {
    for (const file of files) {
      const key = `${name}/${file.id}`;
      const before = all.get(key);
      if (before === undefined || endOf(before.file) < endOf(file)) all.set(key, { file, extents: [...file.extents] });
    }
  }
  return all;
}

export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly objects: number | undefined;
}

export function whatIsLost({ from, to, objects }: Gap): string {
  const count = objects === undefined ? "objects" : `some or all of ${objects} objects`;
  return `bytes ${from} to ${to} are not what was written: ${count} in them`;
}

/** Extents of a growing file that do not prove; a missing file is all of its extents. */
export async function damagedExtents(
  medium: Medium,
  folder: string,
  id: string,
  extents: readonly Extent[],
): Promise<Gap[]> {
  const gaps: Gap[] = [];
  const path = medium.path(folder, id);
  if (extents.length === 0) return gaps;
  if (!(await medium.files.exists(path))) return [{ from: 0, to: endOf({ extents }), objects: undefined }];
  await withFile(medium.files, path, "read", async (file) => {
    const buffer = Buffer.alloc(Math.min(4 * 1024 * 1024, endOf({ extents })));
    let from = 0;
    for (const { to, sha256, objects } of extents) {
      const hash = createHash("sha256");
      for (let at = from; at < to; ) {
        const piece = buffer.subarray(0, Math.min(buffer.length, to - at));
        const count = await readUpTo((into, position) => file.read(into, position), piece, at);
        if (count === 0) break;
        hash.update(piece.subarray(0, count));
        at += count;
      }
      if (hash.digest("hex") !== sha256) gaps.push({ from, to, objects });
      from = to;
    }
  });
  return gaps;
}
