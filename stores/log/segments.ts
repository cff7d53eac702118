import type { Files, OpenFile } from "#base/io";
import { Problem } from "#base/problem";
import { encodeBatch, headerAt, headerBytes, linesOf, type Scan, scanSegment } from "./batch.ts";

/** A segment holds about this much before the next begins. Opening reads one whole. */
const segmentBytesMost = 16 * 1024 * 1024;
/** Zeros that are written ahead, so that a sync of what overwrites them has no metadata to commit. */
const aheadBytesUsual = 1024 * 1024;
/** Scans of older segments that are kept for reading. */
const scansMost = 8;

const nameOf = (first: number) => `entries-${String(first).padStart(15, "0")}`;
const firstOf = (name: string) => (/^entries-[0-9]{15}$/.test(name) ? Number(name.slice(8)) : undefined);

export interface Segments {
  size(): number;
  append(lines: readonly Uint8Array[]): Promise<void>;
  read(from: number, to: number): Promise<Buffer[]>;
  close(): Promise<void>;
}

interface Segment {
  readonly first: number;
  readonly file: OpenFile;
  readonly offsets: number[];
  readonly firsts: number[];
  /** Number of the line behind the last. */
  next: number;
  /** Behind the last batch, and behind the last byte that was written. */
  end: number;
  written: number;
}

/** The lines in files of about 16 MiB, `entries-<number of the first line>`. */
export async function openSegments(files: Files, folder: string, aheadBytes = aheadBytesUsual): Promise<Segments> {
  const firsts = (await files.list(folder)).map(firstOf).filter((first) => first !== undefined);
  firsts.sort((a, b) => a - b);
  const older = firsts.slice(0, -1);
  const last = firsts.at(-1);
  let current =
    last === undefined ? await createSegment(files, folder, 0, aheadBytes) : await openLast(files, folder, last);
  let broken: unknown;
  const scans = new Map<number, { file: OpenFile; scan: Scan }>();

  const roll = async (): Promise<void> => {
    const full = current;
    await full.file.truncate(full.end);
    current = await createSegment(files, folder, full.next, aheadBytes);
    older.push(full.first);
    await full.file.close();
  };
  const writeDurably = async (batch: Buffer): Promise<void> => {
    try {
      await current.file.writeSynced([batch], current.end);
    } catch (error) {
      // What the disk holds of it is not known (fsync's error is told once): nothing more is written until it is read again.
      broken = error;
      throw error;
    }
  };
  const olderSegment = async (first: number, next: number) => {
    const kept = scans.get(first);
    if (kept !== undefined) return kept;
    const file = await files.open(`${folder}/${nameOf(first)}`, "read");
    const scan = scanSegment(await readWhole(file), first);
    if (scan.next !== next) {
      await file.close();
      throw damaged();
    }
    if (scans.size >= scansMost) await closeOldest(scans);
    scans.set(first, { file, scan });
    return { file, scan };
  };

  return {
    size: () => current.next,
    async append(lines) {
      if (broken !== undefined) throw refused(broken);
      if (current.end >= segmentBytesMost) await roll();
      const batch = encodeBatch(current.next, lines);
      await reserve(current, batch.length, aheadBytes);
      await writeDurably(batch);
      current.offsets.push(current.end);
      current.firsts.push(current.next);
      current.end += batch.length;
      current.next += lines.length;
    },
    async read(from, to) {
      const lines: Buffer[] = [];
      const end = Math.min(to, current.next);
      for (let at = from; at < end; at = from + lines.length) {
        if (at >= current.first) lines.push(...(await readRange(current.file, current, at, end)));
        else {
          const index = older.findLastIndex((first) => first <= at);
          const next = older[index + 1] ?? current.first;
          const { file, scan } = await olderSegment(older[index] ?? 0, next);
          lines.push(...(await readRange(file, scan, at, Math.min(end, next))));
        }
      }
      return lines;
    },
    async close() {
      for (const { file } of scans.values()) await file.close();
      await current.file.close();
    },
  };
}

const damaged = () =>
  new Problem("damaged", "entries of the audit log cannot be read as they were written", {
    remedy: "restore the log from a backup",
  });

const refused = (cause: unknown) =>
  new Problem("fault", "the audit log takes nothing since a sync failed", {
    remedy: "look after the disk, then start again: what was acknowledged is read back and proved",
    cause,
  });

async function createSegment(files: Files, folder: string, first: number, aheadBytes: number): Promise<Segment> {
  const file = await files.open(`${folder}/${nameOf(first)}`, "create");
  await file.write([Buffer.alloc(aheadBytes)], 0);
  await file.sync();
  await files.syncFolder(folder);
  return { first, file, offsets: [], firsts: [], next: first, end: 0, written: aheadBytes };
}

async function openLast(files: Files, folder: string, first: number): Promise<Segment> {
  const file = await files.open(`${folder}/${nameOf(first)}`, "update");
  const bytes = await readWhole(file);
  const { offsets, firsts, end, next, broken } = scanSegment(bytes, first);
  if (broken) throw damaged();
  // Whatever tore is cut off; a batch that is whole may never have been synced.
  if (!bytes.subarray(end).equals(Buffer.alloc(bytes.length - end))) await file.truncate(end);
  await file.sync();
  return { first, file, offsets, firsts, next, end, written: await file.size() };
}

async function readWhole(file: OpenFile): Promise<Buffer> {
  const bytes = Buffer.alloc(await file.size());
  let at = 0;
  while (at < bytes.length) {
    const count = await file.read(bytes.subarray(at), at);
    if (count === 0) break;
    at += count;
  }
  return bytes.subarray(0, at);
}

async function reserve(segment: Segment, bytes: number, aheadBytes: number): Promise<void> {
  if (segment.end + bytes <= segment.written) return;
  const more = Math.max(aheadBytes, bytes);
  await segment.file.write([Buffer.alloc(more)], segment.written);
  segment.written += more;
}

/** Lines from `from` to `to` of one segment. */
async function readRange(
  file: OpenFile,
  { offsets, firsts, end }: Pick<Scan, "offsets" | "firsts" | "end">,
  from: number,
  to: number,
): Promise<Buffer[]> {
  const lines: Buffer[] = [];
  let batch = lastAtMost(firsts, from);
  const start = offsets[batch] ?? 0;
  let stop = batch + 1;
  while (stop < firsts.length && (firsts[stop] ?? 0) < to) stop++;
  const bytes = Buffer.alloc((offsets[stop] ?? end) - start);
  if ((await file.read(bytes, start)) !== bytes.length) throw damaged();
  for (; batch < stop; batch++) {
    const at = (offsets[batch] ?? 0) - start;
    const header = headerAt(bytes, at);
    if (header === undefined || header.first !== firsts[batch]) throw damaged();
    const found = linesOf(bytes.subarray(at + headerBytes, at + headerBytes + header.payloadBytes), header);
    if (found === undefined) throw damaged();
    const skip = Math.max(0, from - header.first);
    lines.push(...found.slice(skip, Math.max(skip, to - header.first)));
  }
  return lines;
}

/** Index of the last number that is at most `value`, in a sorted list whose first is. */
function lastAtMost(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((sorted[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function closeOldest(scans: Map<number, { file: OpenFile }>): Promise<void> {
  for (const [first, { file }] of scans) {
    scans.delete(first);
    await file.close();
    return;
  }
}
