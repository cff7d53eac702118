import { type DiskImage, folderOf, resized, type TraceStep, written } from "./traced-files.ts";

/** What the disk made of changes that were not synced when the machine went down. */
export type Unsynced =
  /** All of them are there, as after the death of the process alone. */
  | "kept"
  | "dropped"
  /** Each page of 4 KiB of each write, each truncation and each folder's last changes of names on their own, some pages torn. */
  | "mixed";

export interface CrashState {
  readonly disk: DiskImage;
  /** Notes that the test had written before the crash. */
  readonly notes: readonly string[];
}

const pageBytes = 4096;

/**
 * The disk as it may be found after a crash behind the first `steps` steps of a trace. `chance` gives numbers from 0 to 1 and
 * decides what becomes of what was not synced.
 */
export function crashState(
  trace: readonly TraceStep[],
  steps: number,
  unsynced: Unsynced,
  chance: () => number,
): CrashState {
  const done = trace.slice(0, steps);
  const isDurable = durableSteps(done);
  const names = survivingNames(done, isDurable, unsynced, chance);
  const contents = new Map<number, Buffer>();
  done.forEach((step, index) => {
    if (step.kind === "create") contents.set(step.file, Buffer.from(step.bytes ?? []));
    if (step.kind !== "write" && step.kind !== "truncate") return;
    const before = contents.get(step.file) ?? Buffer.alloc(0);
    contents.set(step.file, applied(before, step, isDurable(index) ? "kept" : unsynced, chance));
  });
  const disk = new Map([...names].map(([path, file]) => [path, contents.get(file) ?? Buffer.alloc(0)]));
  return { disk, notes: done.flatMap((step) => (step.kind === "note" ? [step.text] : [])) };
}

function durableSteps(done: readonly TraceStep[]): (index: number) => boolean {
  const fileSyncedTo = new Map<number, number>();
  const folderSyncedTo = new Map<string, number>();
  const syncedWrites = new Set<number>();
  for (const step of done) {
    if (step.kind === "syncWrite") syncedWrites.add(step.step);
    if (step.kind === "sync") fileSyncedTo.set(step.file, Math.max(step.upTo, fileSyncedTo.get(step.file) ?? 0));
    if (step.kind === "syncFolder") {
      folderSyncedTo.set(step.folder, Math.max(step.upTo, folderSyncedTo.get(step.folder) ?? 0));
    }
  }
  return (index) => {
    const step = done[index];
    if (step?.kind === "write" || step?.kind === "truncate") {
      return syncedWrites.has(index) || index < (fileSyncedTo.get(step.file) ?? 0);
    }
    if (step !== undefined && "path" in step) return index < (folderSyncedTo.get(folderOf(step.path)) ?? 0);
    return true;
  };
}

/** Changes of names reach the disk in their order, in each folder up to some point (a journal). */
function survivingNames(
  done: readonly TraceStep[],
  isDurable: (index: number) => boolean,
  unsynced: Unsynced,
  chance: () => number,
): Map<string, number> {
  const names = new Map<string, number>();
  const ended = new Set<string>();
  done.forEach((step, index) => {
    if (!("path" in step)) return;
    const folder = folderOf(step.path);
    if (!isDurable(index)) {
      if (unsynced === "dropped" || (unsynced === "mixed" && chance() < 0.3)) ended.add(folder);
      if (ended.has(folder)) return;
    }
    const file = step.kind === "create" ? step.file : names.get(step.path);
    if (step.kind !== "create") names.delete(step.path);
    if (step.kind !== "remove" && file !== undefined) names.set(step.kind === "rename" ? step.to : step.path, file);
  });
  return names;
}

function applied(
  before: Buffer,
  step: TraceStep & { kind: "write" | "truncate" },
  unsynced: Unsynced,
  chance: () => number,
): Buffer {
  if (unsynced === "dropped") return before;
  if (step.kind === "truncate") return unsynced === "kept" || chance() < 0.5 ? resized(before, step.sizeBytes) : before;
  if (unsynced === "kept") return written(before, step.position, step.bytes);
  const likely = chance();
  let after = before;
  for (let at = 0; at < step.bytes.length; ) {
    const end = Math.min(step.bytes.length, at + pageBytes - ((step.position + at) % pageBytes));
    const page = step.bytes.subarray(at, end);
    const fate = chance();
    if (fate < likely) after = written(after, step.position + at, page);
    else if (fate < likely + 0.1) after = written(after, step.position + at, page.subarray(0, tornAt(page, chance)));
    at = end;
  }
  return after;
}

/** Disks write sectors of 512 bytes whole. */
function tornAt(page: Uint8Array, chance: () => number): number {
  return Math.floor((chance() * page.length) / 512) * 512;
}
