import { createHash, type Hash } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { BackupBox } from "#trust/vault";
import type { Medium } from "./medium.ts";
import type { LogPiece } from "./point.ts";
import type { LogSource } from "./sources.ts";
import { readSealed, writeSealed } from "./states.ts";

const linesAtOnce = 1024;
/** A piece that has grown to this is left as it is; a smaller one is written again with what came behind it. */
const fullBytes = 1024 * 1024;
const pieceBytesMax = 8 * 1024 * 1024;

interface LogCopy {
  readonly medium: Medium;
  readonly box: BackupBox;
  readonly random: Random;
  readonly log: LogSource;
  /** Pieces of the newest point. */
  readonly before: readonly LogPiece[];
}

interface LogEnds {
  readonly lines: number;
  readonly notes: number;
}

/** Signs the log and saves what is new in it: all pieces of the log as it stands. */
export async function copyLog(copy: LogCopy): Promise<LogPiece[]> {
  const { log } = copy;
  await log.checkpoint();
  // The notes first: each speaks of lines that are there already.
  const notes = log.checkpointCount();
  const ends: LogEnds = { notes, lines: log.size() };
  const pieces = await continued(copy, ends);
  for (
    let last = pieces.at(-1);
    (last?.to ?? 0) < ends.lines || (last?.notesTo ?? 0) < ends.notes;
    last = pieces.at(-1)
  ) {
    pieces.push(await writeLogPiece(copy, last, ends));
  }
  return pieces;
}

/** Pieces that stay. None when the home's log is another than the one that was saved. */
async function continued({ log, before }: LogCopy, ends: LogEnds): Promise<LogPiece[]> {
  const last = before.at(-1);
  if (last === undefined) return [];
  if (last.to > ends.lines || last.notesTo > ends.notes) return [];
  const hash = createHash("sha256");
  for await (const line of linesOf(log, last.from, last.to)) addLine(hash, line);
  if (hash.digest("hex") !== last.linesSha256) return [];
  const isDone = last.sizeBytes >= fullBytes || (last.to === ends.lines && last.notesTo === ends.notes);
  return isDone ? [...before] : before.slice(0, -1);
}

async function* linesOf(log: LogSource, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const lines = await log.read(at, Math.min(to, at + linesAtOnce));
    if (lines.length === 0) throw new Problem("damaged", "the audit log gives fewer lines than it has");
    yield* lines;
    at += lines.length;
  }
}

function addLine(hash: Hash, line: Uint8Array): void {
  hash.update(lengthOf(line)).update(line);
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}

/** The next piece: count of lines, each behind its length; then the notes, each behind its length. */
async function writeLogPiece(copy: LogCopy, last: LogPiece | undefined, ends: LogEnds): Promise<LogPiece> {
  const { medium, box, random, log } = copy;
  const from = last?.to ?? 0;
  const notesFrom = last?.notesTo ?? 0;
  const hash = createHash("sha256");
  const parts: Buffer[] = [];
  let bytes = 0;
  let to = from;
  for await (const line of linesOf(log, from, ends.lines)) {
    addLine(hash, line);
    parts.push(lengthOf(line), line);
    bytes += 4 + line.length;
    to++;
    if (bytes >= pieceBytesMax) break;
  }
  const count = Buffer.alloc(4);
  count.writeUInt32BE(to - from);
  const notesTo = Math.min(ends.notes, notesFrom + Math.floor(pieceBytesMax / 1024));
  const notes = notesFrom < notesTo ? await log.readCheckpoints(notesFrom, notesTo) : [];
  const plain = Buffer.concat([count, ...parts, ...notes.flatMap((note) => [lengthOf(note), note])]);
  const piece = await writeSealed(medium, box, random, plain);
  return { ...piece, from, to, notesFrom, notesTo, linesSha256: hash.digest("hex") };
}

/** The lines and notes of a piece. */
export async function readLogPiece(
  medium: Medium,
  box: BackupBox,
  piece: LogPiece,
): Promise<{ lines: Buffer[]; notes: Buffer[] }> {
  const plain = await readSealed(medium, box, piece);
  const all: Buffer[] = [];
  for (let at = 4; at < plain.length; ) {
    const end = at + 4 + plain.readUInt32BE(at);
    all.push(plain.subarray(at + 4, end));
    at = end;
  }
  const count = plain.readUInt32BE(0);
  return { lines: all.slice(0, count), notes: all.slice(count) };
}
