import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Files } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import type { BackupBox } from "#trust/vault";
import { copyGrowing } from "./growing.ts";
import { refreshKeys } from "./key-set.ts";
import { copyLog } from "./log-pieces.ts";
import { type Medium, names, openMedium, writeInPlaceOf } from "./medium.ts";
import {
  bytesOf,
  foldersOf,
  type KnownFiles,
  knownFiles,
  objectsOf,
  type Point,
  pointContext,
  progressContext,
  seal,
} from "./point.ts";
import type { BackupSources } from "./sources.ts";
import { copyStates } from "./states.ts";
import { type Loss, verifyMedium } from "./verify.ts";

export interface BackupParts {
  /** Of home and backup folder alike. */
  readonly files: Files;
  readonly box: BackupBox;
  readonly random: Random;
  readonly clock: Clock;
}

export interface BackupRequest {
  readonly folder: string;
  readonly sources: BackupSources;
  /** Points that are kept, this one included. */
  readonly keepPoints: number;
  /** Reads everything back when it is done, and writes again what the home still has. */
  readonly verify: boolean;
  readonly tell: (progress: string) => void;
}

export interface BackupReport {
  /** Of the backup folder, random: knows it again wherever it is mounted. */
  readonly id: string;
  readonly point: number;
  /** Everything that was acknowledged before is in it. */
  readonly takenAt: number;
  readonly tookMs: number;
  /** Bytes of packs that were new. */
  readonly copiedBytes: number;
  /** What this point stands for, and its objects. */
  readonly bytes: number;
  readonly objects: number;
  /** Serials of the points that can be restored. */
  readonly points: readonly number[];
  /** What is not in the backup as it was written, by name; only a verified run looks. */
  readonly losses: readonly Loss[];
}

const progressEveryBytes = 256 * 1024 * 1024;

/**
 * Adds a point to the backup in a folder, which is made when it is empty or not there. One at a time. When it rejects there is
 * no new point, the older ones are as good as before, and the next run goes on where this one stopped.
 *
 * The order is what makes a point whole (docs/decisions/0011-backup.md): ends of the packs, who refers before what it refers to;
 * then the keys, which are durable before anything is sealed under them; then accounts and settings; then the log.
 */
export async function takeBackup(parts: BackupParts, request: BackupRequest): Promise<BackupReport> {
  const { files, box, random, clock } = parts;
  const { sources, tell } = request;
  const beganMs = clock.monotonicMs();
  const medium = await openMedium({ files, folder: request.folder, box, random, make: true });
  for (const folder of [names.points, names.pieces]) await medium.files.makeFolder(medium.path(folder));
  const { points, serial } = await readablePoints(medium);
  const newest = points.at(-1);
  const known = knownFiles([...points.map(({ folders }) => folders), (await medium.progress()).folders]);
  const { folders, takenAt, copiedBytes } = await copyPacks(parts, request, medium, known);
  tell("keys, accounts, log");
  await refreshKeys({ medium, box, random, files, keys: sources.keys });
  const states = await copyStates(medium, box, random, sources.states);
  const log = await copyLog({ medium, box, random, log: sources.log, before: newest?.log ?? [] });
  await medium.files.syncFolder(medium.path(names.pieces));
  const point: Point = { serial, takenAt, folders, states, log };
  await medium.check();
  await medium.addPoint(seal(box, pointContext(serial), point), serial);
  await prune(medium, request.keepPoints);
  const losses = request.verify ? await verifyAndMend(request, medium) : [];
  return {
    id: medium.id,
    point: serial,
    takenAt,
    tookMs: clock.monotonicMs() - beganMs,
    copiedBytes,
    bytes: bytesOf(point),
    objects: objectsOf(point),
    points: await medium.serials(),
    losses,
  };
}

/** Brings the keys in a backup up to what the home has: what was destroyed here is destroyed there. */
export async function refreshBackupKeys(
  parts: BackupParts,
  request: Pick<BackupRequest, "folder"> & { readonly keys: BackupSources["keys"] },
): Promise<void> {
  const { files, box, random } = parts;
  const medium = await openMedium({ files, folder: request.folder, box, random, make: false });
  await refreshKeys({ medium, box, random, files, keys: request.keys });
}

/** A manifest that is damaged is told by `verify` and by `restore`; what it named alone is known from nowhere. */
async function readablePoints(medium: Medium): Promise<{ points: Point[]; serial: number }> {
  const points: Point[] = [];
  const serials = await medium.serials();
  for (const serial of serials) {
    try {
      points.push(await medium.point(serial));
    } catch (error) {
      if (!isProblem(error, "damaged")) throw error;
    }
  }
  return { points, serial: (serials.at(-1) ?? 0) + 1 };
}

async function copyPacks(parts: BackupParts, { sources, tell }: BackupRequest, medium: Medium, known: KnownFiles) {
  let copiedBytes = 0;
  let unsavedBytes = 0;
  const saveProgress = async () => {
    const progress = seal(parts.box, progressContext, { folders: foldersOf(known) });
    await writeInPlaceOf(medium.files, medium.folder, names.unfinished, progress);
    unsavedBytes = 0;
  };
  try {
    const { folders, takenAt } = await copyGrowing({
      medium,
      sources: sources.growing,
      known,
      now: parts.clock.now,
      async copied(bytes) {
        copiedBytes += bytes;
        unsavedBytes += bytes;
        if (unsavedBytes < progressEveryBytes) return;
        // Where a disk was mounted there may be an empty folder now: it is not to be filled.
        await medium.check();
        await saveProgress();
      },
      tell: (done, total) => tell(`${megabytes(done)} of ${megabytes(total)} MB copied`),
    });
    return { folders, takenAt, copiedBytes };
  } catch (error) {
    // Of no use when the folder is gone or full; the error that counts is the first.
    if (unsavedBytes > 0) await saveProgress().catch(() => {});
    throw error;
  }
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);

/** Lets go of the oldest points and of every file that no point needs. */
async function prune(medium: Medium, keepPoints: number): Promise<void> {
  const serials = await medium.serials();
  for (const serial of serials.slice(0, Math.max(0, serials.length - Math.max(1, keepPoints)))) {
    await medium.removePoint(serial);
  }
  await medium.files.remove(medium.path(names.unfinished));
  const points: Point[] = [];
  for (const serial of await medium.serials()) {
    const point = await medium.point(serial).catch((error) => {
      if (!isProblem(error, "damaged")) throw error;
    });
    // What it names is not known: nothing is let go while it is kept.
    if (point === undefined) return;
    points.push(point);
  }
  const pieces = new Set(points.flatMap(({ states, log }) => [...states, ...log].map(({ file }) => file)));
  await removeOthers(medium, names.pieces, pieces);
  const growing = new Map<string, Set<string>>();
  for (const { name, files } of points.flatMap(({ folders }) => folders)) {
    const ids = growing.get(name) ?? new Set<string>();
    growing.set(name, ids);
    for (const { id } of files) ids.add(id);
  }
  for (const [name, ids] of growing) await removeOthers(medium, name, ids);
}

async function removeOthers(medium: Medium, folder: string, kept: ReadonlySet<string>): Promise<void> {
  const stray = (await medium.files.list(medium.path(folder))).filter((name) => !kept.has(name));
  for (const name of stray) await medium.files.remove(medium.path(folder, name));
  if (stray.length > 0) await medium.files.syncFolder(medium.path(folder));
}

async function verifyAndMend(request: BackupRequest, medium: Medium): Promise<readonly Loss[]> {
  const losses = await verifyMedium(medium, request.tell);
  const files = losses.flatMap(({ file }) => (file === undefined ? [] : [file]));
  if (files.length === 0) return losses;
  for (const { folder, id } of files) {
    const source = request.sources.growing.find(({ name }) => name === folder);
    const standing = (await source?.take())?.find((each) => each.id === id);
    if (source !== undefined && standing !== undefined) await mend(medium, source, standing);
  }
  return verifyMedium(medium, request.tell);
}

/** Copies a file of the home once more, in the place of its damaged copy. */
async function mend(
  medium: Medium,
  source: BackupSources["growing"][number],
  { id, endPosition }: { readonly id: string; readonly endPosition: number },
): Promise<void> {
  const folder = medium.path(source.name);
  const fresh = await medium.files.open(`${folder}/${id}.part`, "create");
  try {
    const piece = Buffer.alloc(4 * 1024 * 1024);
    for (let at = 0; at < endPosition; ) {
      const count = await source.read(id, at, piece.subarray(0, Math.min(piece.length, endPosition - at)));
      if (count === 0)
        throw new Problem("damaged", `${source.name}/${id} of the home is shorter than what it acknowledged`);
      await fresh.write([piece.subarray(0, count)], at);
      at += count;
    }
    await fresh.sync();
  } finally {
    await fresh.close();
  }
  await medium.files.rename(`${folder}/${id}.part`, `${folder}/${id}`);
  await medium.files.syncFolder(folder);
}
