import { createHash } from "node:crypto";
import { newToken, type Random } from "#base/id";
import type { Files, OpenFile } from "#base/io";
import { asProblem, isProblem, Problem } from "#base/problem";
import type { BackupBox } from "#trust/vault";
import {
  type KeySet,
  keySetContext,
  open,
  type Piece,
  type Point,
  type Progress,
  pointContext,
  progressContext,
} from "./point.ts";

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/*
 * A backup folder:
 *
 *   leadglass-backup.json       says what it is, and whose
 *   points/00000012.point       manifests, sealed; each is a moment that can be restored
 *   unfinished                  what an interrupted run has copied, sealed
 *   keys.json                   the keyring in the clear (it is wrapped), and a sealed table of the key files' pieces
 *   keys/<random>               pieces of key files, as they rest in the home
 *   pieces/<random>             sealed: audit lines, accounts, settings
 *   packs/…, identity/packs/…   growing files, as they rest in the home
 */
export const names = {
  marker: "leadglass-backup.json",
  points: "points",
  unfinished: "unfinished",
  keySet: "keys.json",
  keys: "keys",
  pieces: "pieces",
} as const;

const markerFormat = "leadglass backup 1";
const keySetFormat = "leadglass backup keys 1";
const pointName = /^(\d{8,})\.point$/;
const partEnding = ".part";

/** The folder that a backup lies in. Whatever fails there is told as a Problem that speaks of the backup. */
export interface Medium {
  readonly folder: string;
  /** Of this backup, random. */
  readonly id: string;
  readonly files: Files;
  path(...parts: readonly string[]): string;
  /** Serials of the points, oldest first. */
  serials(): Promise<number[]>;
  point(serial: number): Promise<Point>;
  addPoint(sealed: Uint8Array, serial: number): Promise<void>;
  removePoint(serial: number): Promise<void>;
  progress(): Promise<Progress>;
  keySet(): Promise<KeySet | undefined>;
  /** Rejects when the folder is no longer the one that was opened: the disk was taken out. */
  check(): Promise<void>;
}

interface Marker {
  readonly format: string;
  readonly id: string;
  /** The id, sealed: opens only for the home whose backup it is. */
  readonly proof: string;
}

export interface KeySetFile {
  readonly format: string;
  readonly settings: readonly { readonly name: string; readonly base64: string }[];
  /** A sealed KeySet, base64. */
  readonly sealed: string;
}

export function problemOfMedium(error: unknown): Problem {
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  if (isProblem(error)) return error;
  if (["ENOSPC", "EDQUOT", "EFBIG"].includes(code)) {
    const remedy =
      "free or add room, then run the backup again: it goes on where it stopped; older points stay restorable";
    return new Problem("no-room", "no room left in the backup folder", { remedy, cause: error });
  }
  if (["EROFS", "EACCES", "EPERM", "ENOENT", "EIO", "ENODEV", "ESTALE", "ENOTCONN", "ENOTDIR"].includes(code)) {
    const remedy = "is the disk there, whole, and writable? run it again then: it goes on where it stopped";
    return new Problem("unavailable", `the backup folder does not answer as it should (${code})`, {
      remedy,
      cause: error,
    });
  }
  return asProblem(error, "working on the backup folder");
}

/** The same files, whose errors speak of the backup. */
export function filesOfMedium(files: Files): Files {
  const told = <Result>(work: Promise<Result>): Promise<Result> =>
    work.catch((error) => {
      throw problemOfMedium(error);
    });
  const fileOf = (file: OpenFile): OpenFile => ({
    read: (into, position) => told(file.read(into, position)),
    write: (parts, position) => told(file.write(parts, position)),
    sync: () => told(file.sync()),
    writeSynced: (parts, position) => told(file.writeSynced(parts, position)),
    truncate: (sizeBytes) => told(file.truncate(sizeBytes)),
    size: () => told(file.size()),
    close: () => told(file.close()),
  });
  return {
    open: async (path, mode) => fileOf(await told(files.open(path, mode))),
    list: (folder) => told(files.list(folder)),
    makeFolder: (folder) => told(files.makeFolder(folder)),
    rename: (from, to) => told(files.rename(from, to)),
    remove: (path) => told(files.remove(path)),
    syncFolder: (folder) => told(files.syncFolder(folder)),
    exists: (path) => told(files.exists(path)),
    freeBytes: (path) => told(files.freeBytes(path)),
  };
}

export async function withFile<Result>(
  files: Files,
  path: string,
  mode: "read" | "update" | "create",
  work: (file: OpenFile) => Promise<Result>,
): Promise<Result> {
  const file = await files.open(path, mode);
  let result: Result;
  try {
    result = await work(file);
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  await file.close();
  return result;
}

export async function readWhole(files: Files, path: string): Promise<Buffer> {
  return withFile(files, path, "read", async (file) => {
    const bytes = Buffer.alloc(await file.size());
    return bytes.subarray(0, await readUpTo((into, position) => file.read(into, position), bytes, 0));
  });
}

/** Fills `into` as far as there is something; the count. */
export async function readUpTo(
  read: (into: Uint8Array, position: number) => Promise<number>,
  into: Uint8Array,
  position: number,
): Promise<number> {
  let have = 0;
  while (have < into.length) {
    const count = await read(into.subarray(have), position + have);
    if (count === 0) break;
    have += count;
  }
  return have;
}

/** Appears whole or not at all, in the place of what was there. */
export async function writeInPlaceOf(files: Files, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const part = `${folder}/${name}${partEnding}`;
  await files.remove(part);
  await withFile(files, part, "create", async (file) => {
    await file.write([bytes], 0);
    await file.sync();
  });
  await files.rename(part, `${folder}/${name}`);
  await files.syncFolder(folder);
}

/** A new file; its name is durable when its folder is synced. */
export async function writePiece(medium: Medium, kind: string, file: string, bytes: Uint8Array): Promise<Piece> {
  await withFile(medium.files, medium.path(kind, file), "create", async (made) => {
    await made.write([bytes], 0);
    await made.sync();
  });
  return { file, sizeBytes: bytes.length, sha256: sha256(bytes) };
}

/** The bytes of a piece; Problem "damaged" or "absent" when they are not those that were written. */
export async function readPiece(medium: Medium, kind: string, piece: Piece): Promise<Buffer> {
  const path = medium.path(kind, piece.file);
  if (!(await medium.files.exists(path))) throw new Problem("absent", `${kind}/${piece.file} is missing`);
  const bytes = await readWhole(medium.files, path);
  if (bytes.length === piece.sizeBytes && sha256(bytes) === piece.sha256) return bytes;
  throw new Problem("damaged", `${kind}/${piece.file} is damaged`);
}

async function readMarker(files: Files, folder: string): Promise<Marker | undefined> {
  const path = `${folder}/${names.marker}`;
  if (!(await files.exists(path))) return undefined;
  try {
    const marker = JSON.parse((await readWhole(files, path)).toString("utf8")) as Partial<Marker> | null;
    if (marker?.format === markerFormat && typeof marker.id === "string" && typeof marker.proof === "string") {
      return marker as Marker;
    }
  } catch (error) {
    if (isProblem(error)) throw error;
  }
  throw new Problem("damaged", `${names.marker} of the backup folder cannot be read`, {
    remedy: "this version does not know it, or it is damaged: choose another folder, and keep this one",
  });
}

/** The id of the backup in a folder, without a key; undefined when there is none. */
export async function backupIdIn(files: Files, folder: string): Promise<string | undefined> {
  return (await readMarker(filesOfMedium(files), folder))?.id;
}

export async function readKeySetFile(files: Files, folder: string): Promise<KeySetFile | undefined> {
  const path = `${folder}/${names.keySet}`;
  if (!(await files.exists(path))) return undefined;
  try {
    const content = JSON.parse((await readWhole(files, path)).toString("utf8")) as Partial<KeySetFile> | null;
    const isWhole =
      content?.format === keySetFormat &&
      typeof content.sealed === "string" &&
      Array.isArray(content.settings) &&
      content.settings.every(({ name, base64 }) => typeof name === "string" && typeof base64 === "string");
    if (isWhole) return content as KeySetFile;
  } catch (error) {
    if (isProblem(error)) throw error;
  }
  throw new Problem("damaged", `${names.keySet} of the backup cannot be read: without it nothing in it opens`, {
    remedy: "use another backup, or the keyring and keys of the home if they are still there",
  });
}

export const settingsDigest = (settings: KeySetFile["settings"]): string =>
  sha256(Buffer.from(JSON.stringify(settings)));

export function encodeKeySetFile(box: BackupBox, settings: KeySetFile["settings"], table: KeySet): Buffer {
  const sealed = box.seal(keySetContext, Buffer.from(JSON.stringify(table), "utf8")).toString("base64");
  return Buffer.from(`${JSON.stringify({ format: keySetFormat, settings, sealed } satisfies KeySetFile)}\n`, "utf8");
}

/**
 * Opens the backup in a folder. With `make` a folder that is empty or not there becomes one; one that holds anything else is
 * refused. Problem "conflict" when it is the backup of another home.
 */
export async function openMedium(options: {
  readonly files: Files;
  readonly folder: string;
  readonly box: BackupBox;
  readonly random: Random;
  readonly make: boolean;
}): Promise<Medium> {
  const { folder, box, random } = options;
  const files = filesOfMedium(options.files);
  let marker = await readMarker(files, folder);
  if (marker === undefined) {
    if (!options.make)
      throw new Problem("absent", "there is no backup in this folder", {
        remedy: "name the folder that `vault backup` wrote to",
      });
    marker = await makeMarker(files, folder, box, random);
  }
  checkOwner(box, marker);
  const path = (...parts: readonly string[]) => [folder, ...parts].join("/");
  const id = marker.id;
  const serials = async () => {
    const found = (await files.list(path(names.points))).map((name) => Number(pointName.exec(name)?.[1] ?? 0));
    return found.filter((serial) => serial > 0).sort((a, b) => a - b);
  };
  const nameOf = (serial: number) => `${String(serial).padStart(8, "0")}.point`;
  return {
    folder,
    id,
    files,
    path,
    serials,
    async point(serial) {
      try {
        return open<Point>(box, pointContext(serial), await readWhole(files, path(names.points, nameOf(serial))));
      } catch (error) {
        if (!isProblem(error, "damaged")) throw error;
        throw new Problem("damaged", `the manifest ${names.points}/${nameOf(serial)} of the backup is damaged`, {
          remedy: "restore another point: leadglass vault restore … --point N",
          cause: error,
        });
      }
    },
    addPoint: (sealed, serial) => writeInPlaceOf(files, path(names.points), nameOf(serial), sealed),
    async removePoint(serial) {
      await files.remove(path(names.points, nameOf(serial)));
      await files.syncFolder(path(names.points));
    },
    async progress() {
      if (!(await files.exists(path(names.unfinished)))) return { folders: [] };
      try {
        return open<Progress>(box, progressContext, await readWhole(files, path(names.unfinished)));
      } catch (error) {
        // A hint that saves work: without it the work is done again.
        if (isProblem(error, "damaged")) return { folders: [] };
        throw error;
      }
    },
    async keySet() {
      const kept = await readKeySetFile(files, folder);
      return kept && open<KeySet>(box, keySetContext, Buffer.from(kept.sealed, "base64"));
    },
    async check() {
      if ((await readMarker(files, folder))?.id === id) return;
      throw new Problem("unavailable", "the backup folder is not the one it was: its disk is gone", {
        remedy: "mount it again and run the backup again: it goes on where it stopped",
      });
    },
  };
}

function checkOwner(box: BackupBox, marker: Marker): void {
  try {
    if (box.open("marker", Buffer.from(marker.proof, "base64")).toString("utf8") === marker.id) return;
  } catch (error) {
    if (!isProblem(error, "damaged")) throw error;
  }
  throw new Problem("conflict", "this folder holds the backup of another home", { remedy: "choose another folder" });
}

async function makeMarker(files: Files, folder: string, box: BackupBox, random: Random): Promise<Marker> {
  await files.makeFolder(folder);
  const there = (await files.list(folder)).filter((name) => name !== "lost+found" && !name.endsWith(partEnding));
  if (there.length > 0) {
    throw new Problem("conflict", "this folder is not empty and holds no backup", {
      remedy: "name an empty folder, or one that does not exist yet",
    });
  }
  const id = newToken(random);
  const marker: Marker = { format: markerFormat, id, proof: box.seal("marker", Buffer.from(id)).toString("base64") };
  await writeInPlaceOf(files, folder, names.marker, Buffer.from(`${JSON.stringify(marker)}\n`, "utf8"));
  return marker;
}
