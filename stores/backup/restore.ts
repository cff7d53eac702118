import { createHash } from "node:crypto";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Files, OpenFile } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import type { EntryStore } from "#trust/audit";
import type { BackupBox } from "#trust/vault";
import { readLogPiece } from "./log-pieces.ts";
import {
  filesOfMedium,
  type Medium,
  names,
  openMedium,
  readKeySetFile,
  readPiece,
  readUpTo,
  settingsDigest,
  withFile,
} from "./medium.ts";
import { bytesOf, endOf, type KeySet, objectsOf, type Point, type SavedFile } from "./point.ts";
import { readSealed } from "./states.ts";
import { type Loss, whatIsLost } from "./verify.ts";

export interface RestoreRequest {
  readonly files: Files;
  readonly random: Random;
  readonly clock: Clock;
  /** The backup. */
  readonly folder: string;
  /** Empty, or not there. */
  readonly home: string;
  /** Serial of a point; the newest when absent. */
  readonly point?: number;
  /** Settings that the home may have; a backup that brings others is none of ours. */
  readonly settings: readonly string[];
  /** Opens the keyring, whose settings lie below this folder as they would below a home. */
  readonly openBox: (folder: string) => Promise<BackupBox>;
  /** The empty log of the home. */
  readonly openLog: () => Promise<EntryStore>;
  /** Takes a state in; those that it does not take become files below the home. Undefined: not its own. */
  readonly takeState: (name: string, content: Buffer) => Promise<void> | undefined;
  /** Goes on when something in the backup is damaged or missing. */
  readonly acceptLoss: boolean;
  readonly tell: (progress: string) => void;
}

export interface RestoreReport {
  readonly point: number;
  readonly takenAt: number;
  readonly tookMs: number;
  readonly bytes: number;
  /** Sealed objects of the point, those of destroyed keys included. */
  readonly objects: number;
  readonly logLines: number;
  /** What the backup says it holds and does not, by name. */
  readonly losses: readonly Loss[];
}

/** Where the keyring waits until everything else is there; empty folders of this name are left. */
export const waitingFolder = "restoring";

/**
 * Makes a home from one point of a backup. The keyring comes to its place last: before that nothing can be started on the home, so
 * one that was restored in part is never taken for a whole one. Key files come first, so that a start does not take it for a new
 * home either. Rejects with Problem "damaged", naming every loss, unless loss is accepted.
 */
export async function restoreBackup(request: RestoreRequest): Promise<RestoreReport> {
  const { files, home, clock, random } = request;
  const beganMs = clock.monotonicMs();
  await checkEmpty(files, home);
  const settings = await readSettings(request);
  await files.makeFolder(home);
  await putSettings(request, `${home}/${waitingFolder}`, settings);
  const box = await request.openBox(`${home}/${waitingFolder}`);
  const medium = await openMedium({ files, folder: request.folder, box, random, make: false });
  const keySet = await medium.keySet();
  if (keySet === undefined || keySet.settingsSha256 !== settingsDigest(settings)) {
    throw new Problem("damaged", "the keyring of the backup is not the one that was saved with its keys");
  }
  const point = await choosePoint(medium, request.point);
  await checkRoom(files, home, bytesOf(point));
  const losses: Loss[] = [];
  await putKeys(request, medium, keySet, losses);
  await putGrowing(request, medium, point, losses);
  await putStates(request, medium, box, point, losses);
  const logLines = await putLog(request, medium, box, point, losses);
  checkLosses(losses, request.acceptLoss);
  await moveSettings(request, settings);
  return {
    point: point.serial,
    takenAt: point.takenAt,
    tookMs: clock.monotonicMs() - beganMs,
    bytes: bytesOf(point),
    objects: objectsOf(point),
    logLines,
    losses,
  };
}

async function checkEmpty(files: Files, home: string): Promise<void> {
  const there = (await files.list(home)).filter((name) => name !== "lost+found");
  if (there.length === 0) return;
  const isBegun = there.includes(waitingFolder);
  throw new Problem(
    "conflict",
    isBegun ? "a restore into this home was begun and not finished" : "this home is not empty",
    {
      remedy: isBegun
        ? "remove the folder, then restore again"
        : "name an empty folder, or one that does not exist yet",
    },
  );
}

async function checkRoom(files: Files, home: string, bytes: number): Promise<void> {
  const freeBytes = await files.freeBytes(home);
  if (freeBytes >= bytes) return;
  const gib = (count: number) => (count / 2 ** 30).toFixed(1);
  throw new Problem("no-room", `a restore takes ${gib(bytes)} GiB and there are ${gib(freeBytes)}`, {
    remedy: "choose a home on a larger disk",
  });
}

type Settings = readonly { readonly name: string; readonly base64: string }[];

async function readSettings({ files, folder, settings: ours }: RestoreRequest): Promise<Settings> {
  const kept = await readKeySetFile(filesOfMedium(files), folder);
  if (kept === undefined) {
    throw new Problem("absent", "there is no finished backup in this folder", {
      remedy: "name the folder that `vault backup` wrote to",
    });
  }
  // They are in the clear, so anybody could have put anything there.
  const strange = kept.settings.find(({ name }) => !ours.includes(name));
  if (strange === undefined) return kept.settings;
  throw new Problem("damaged", "the backup brings a setting that no home has", {
    remedy: "it was changed by somebody",
  });
}

async function choosePoint(medium: Medium, serial: number | undefined): Promise<Point> {
  const serials = await medium.serials();
  const chosen = serial ?? serials.at(-1);
  if (chosen === undefined) throw new Problem("absent", "the backup has no finished point: it was interrupted");
  if (serials.includes(chosen)) return medium.point(chosen);
  throw new Problem("absent", `the backup has no point ${chosen}`, { remedy: `it has ${serials.join(", ")}` });
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** Makes the folders of a path below the home, each name durable. */
async function makeFolders(files: Files, home: string, name: string): Promise<void> {
  await files.makeFolder(`${home}/${name}`);
  for (let at = name; at !== ""; at = parentOf(at)) {
    await files.syncFolder(parentOf(`${home}/${at}`));
    if (!at.includes("/")) break;
  }
}

async function putFile(files: Files, path: string, write: (file: OpenFile) => Promise<void>): Promise<void> {
  await withFile(files, path, "create", async (file) => {
    await write(file);
    await file.sync();
  });
}

async function putSettings({ files, home }: RestoreRequest, under: string, settings: Settings): Promise<void> {
  for (const { name, base64 } of settings) {
    await makeFolders(files, home, parentOf(`${under}/${name}`).slice(home.length + 1));
    await putFile(files, `${under}/${name}`, (file) => file.write([Buffer.from(base64, "base64")], 0));
    await files.syncFolder(parentOf(`${under}/${name}`));
  }
}

/** From now on the home can be started. */
async function moveSettings({ files, home }: RestoreRequest, settings: Settings): Promise<void> {
  for (const { name } of settings) {
    const folder = parentOf(name);
    if (folder !== "") await makeFolders(files, home, folder);
    await files.rename(`${home}/${waitingFolder}/${name}`, `${home}/${name}`);
    for (const path of [`${home}/${name}`, `${home}/${waitingFolder}/${name}`]) await files.syncFolder(parentOf(path));
  }
}

async function putKeys(request: RestoreRequest, medium: Medium, keySet: KeySet, losses: Loss[]): Promise<void> {
  const { files, home } = request;
  for (const { name, files: keyFiles } of keySet.folders) {
    await makeFolders(files, home, name);
    for (const { name: fileName, pieces } of keyFiles) {
      await putFile(files, `${home}/${name}/${fileName}`, async (file) => {
        let at = 0;
        for (const piece of pieces) {
          const bytes = await unlessLost(readPiece(medium, names.keys, piece), losses, {
            name: `${names.keys}/${piece.file}`,
            what: `keys of ${name}/${fileName}: what is sealed under them cannot be opened`,
          });
          // Zeros are no record; what comes behind keeps its place.
          await file.write([bytes ?? Buffer.alloc(piece.sizeBytes)], at);
          at += piece.sizeBytes;
        }
      });
    }
    await files.syncFolder(`${home}/${name}`);
  }
}

async function unlessLost<Result>(work: Promise<Result>, losses: Loss[], loss: Loss): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isProblem(error, "damaged") && !isProblem(error, "absent")) throw error;
    losses.push(loss);
    return undefined;
  }
}

async function putGrowing(request: RestoreRequest, medium: Medium, point: Point, losses: Loss[]): Promise<void> {
  const { files, home, tell } = request;
  const totalBytes = bytesOf(point);
  let doneBytes = 0;
  for (const { name, files: saved } of point.folders) {
    await makeFolders(files, home, name);
    for (const file of saved) {
      const lost = await putGrowingFile(files, medium, name, file, `${home}/${name}/${file.restoredName}`);
      losses.push(...lost);
      for (const beside of file.besides) await putFile(files, `${home}/${name}/${beside}`, async () => {});
      doneBytes += endOf(file);
      tell(`${Math.ceil(doneBytes / 1e6)} of ${Math.ceil(totalBytes / 1e6)} MB restored`);
    }
    await files.syncFolder(`${home}/${name}`);
  }
}

/** Copies and proves; damaged extents are copied as they are, for what is whole in them. */
async function putGrowingFile(
  files: Files,
  medium: Medium,
  folder: string,
  { id, extents }: SavedFile,
  to: string,
): Promise<Loss[]> {
  const name = `${folder}/${id}`;
  if (!(await medium.files.exists(medium.path(folder, id)))) return [{ name, what: "missing: all objects in it" }];
  const losses: Loss[] = [];
  await withFile(medium.files, medium.path(folder, id), "read", (from) =>
    putFile(files, to, async (into) => {
      const buffer = Buffer.alloc(Math.min(4 * 1024 * 1024, endOf({ extents })));
      let at = 0;
      for (const extent of extents) {
        const hash = createHash("sha256");
        const begin = at;
        while (at < extent.to) {
          const piece = buffer.subarray(0, Math.min(buffer.length, extent.to - at));
          const have = await readUpTo((part, position) => from.read(part, position), piece, at);
          // What is missing at the end is there as zeros, so that positions stay.
          piece.fill(0, have);
          hash.update(piece.subarray(0, have));
          await into.write([piece], at);
          at += piece.length;
        }
        if (hash.digest("hex") !== extent.sha256) {
          losses.push({ name, what: whatIsLost({ from: begin, to: extent.to, objects: extent.objects }) });
        }
      }
    }),
  );
  return losses;
}

async function putStates(
  request: RestoreRequest,
  medium: Medium,
  box: BackupBox,
  point: Point,
  losses: Loss[],
): Promise<void> {
  const { files, home } = request;
  for (const state of point.states) {
    const loss = { name: `${names.pieces}/${state.file}`, what: state.name };
    const content = await unlessLost(readSealed(medium, box, state), losses, loss);
    if (content === undefined) continue;
    const taken = request.takeState(state.name, content);
    if (taken !== undefined) {
      await taken;
      continue;
    }
    const folder = parentOf(state.name);
    if (folder !== "") await makeFolders(files, home, folder);
    await putFile(files, `${home}/${state.name}`, (file) => file.write([content], 0));
    await files.syncFolder(parentOf(`${home}/${state.name}`));
  }
}

/** The lines in their order up to the first that is lost, and the checkpoints that speak of them. */
async function putLog(
  request: RestoreRequest,
  medium: Medium,
  box: BackupBox,
  point: Point,
  losses: Loss[],
): Promise<number> {
  if (point.log.length === 0) return 0;
  const store = await request.openLog();
  try {
    const notes: Buffer[] = [];
    for (const piece of point.log) {
      const loss = { name: `${names.pieces}/${piece.file}`, what: `lines of the log from ${piece.from} on` };
      const part = await unlessLost(readLogPiece(medium, box, piece), losses, loss);
      if (part === undefined) break;
      if (part.lines.length > 0) await store.append(part.lines);
      notes.push(...part.notes);
    }
    for (const note of notes) if (linesOfNote(note) <= store.size()) await store.appendCheckpoint(note);
    return store.size();
  } finally {
    await store.close();
  }
}

/** Of how many lines a checkpoint speaks: its second line (C2SP tlog-checkpoint). */
function linesOfNote(note: Buffer): number {
  const size = Number(note.toString("utf8").split("\n")[1]);
  return Number.isSafeInteger(size) ? size : Number.POSITIVE_INFINITY;
}

function checkLosses(losses: readonly Loss[], isAccepted: boolean): void {
  if (losses.length === 0 || isAccepted) return;
  const shown = losses.slice(0, 20).map(({ name, what }) => `\n  ${name}: ${what}`);
  const more = losses.length > shown.length ? `\n  and ${losses.length - shown.length} more` : "";
  throw new Problem("damaged", `the backup is damaged:${shown.join("")}${more}`, {
    remedy: "restore another point or from another backup; or remove the new home and restore with --accept-loss",
  });
}
