import { crc32 } from "node:zlib";

/**
 * A batch: the lines of one append under one header, so that a torn write is seen. Big-endian.
 *
 * | bytes | what |
 * |---|---|
 * | 0–7   | magic; no byte of it occurs twice in JSON text |
 * | 8–15  | number of the first line |
 * | 16–19 | count of lines |
 * | 20–23 | bytes of the payload |
 * | 24–27 | CRC-32 of the payload |
 * | 28–31 | CRC-32 of the 28 bytes before |
 *
 * The payload is, for each line, its length in 4 bytes and its bytes.
 */
export const headerBytes = 32;
export const magic: Buffer = Buffer.from("894c47410d0a1a01", "hex");

export interface BatchHeader {
  readonly first: number;
  readonly count: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

export function encodeBatch(first: number, lines: readonly Uint8Array[]): Buffer {
  let payloadBytes = 0;
  for (const line of lines) payloadBytes += 4 + line.length;
  const batch = Buffer.alloc(headerBytes + payloadBytes);
  let at = headerBytes;
  for (const line of lines) {
    at = batch.writeUInt32BE(line.length, at);
    batch.set(line, at);
    at += line.length;
  }
  magic.copy(batch, 0);
  batch.writeBigUInt64BE(BigInt(first), 8);
  batch.writeUInt32BE(lines.length, 16);
  batch.writeUInt32BE(payloadBytes, 20);
  batch.writeUInt32BE(crc32(batch.subarray(headerBytes)), 24);
  batch.writeUInt32BE(crc32(batch.subarray(0, 28)), 28);
  return batch;
}

/** The header at `at`; undefined when there is no whole and sound one. */
export function headerAt(bytes: Buffer, at: number): BatchHeader | undefined {
  if (at + headerBytes > bytes.length || bytes.compare(magic, 0, magic.length, at, at + magic.length) !== 0)
    return undefined;
  if (crc32(bytes.subarray(at, at + 28)) !== bytes.readUInt32BE(at + 28)) return undefined;
  return {
    first: Number(bytes.readBigUInt64BE(at + 8)),
    count: bytes.readUInt32BE(at + 16),
    payloadBytes: bytes.readUInt32BE(at + 20),
    payloadCrc: bytes.readUInt32BE(at + 24),
  };
}

/** The lines of a payload; undefined when it is not the one that its header speaks of. */
export function linesOf(payload: Buffer, { count, payloadBytes, payloadCrc }: BatchHeader): Buffer[] | undefined {
  if (payload.length !== payloadBytes || crc32(payload) !== payloadCrc) return undefined;
  const lines: Buffer[] = [];
  let at = 0;
  while (at + 4 <= payload.length) {
    const end = at + 4 + payload.readUInt32BE(at);
    if (end > payload.length) return undefined;
    lines.push(payload.subarray(at + 4, end));
    at = end;
  }
  return at === payload.length && lines.length === count ? lines : undefined;
}

export interface Scan {
  /** Where each batch begins, and its first line's number. */
  readonly offsets: number[];
  readonly firsts: number[];
  /** Behind the last sound batch. */
  readonly end: number;
  /** Number of the line that comes next. */
  readonly next: number;
  /** A sound batch stands behind a place that is not: what is between was written once and is lost. */
  readonly broken: boolean;
}

/** Reads a segment that begins with line `first`, as far as it is sound. */
export function scanSegment(bytes: Buffer, first: number): Scan {
  const offsets: number[] = [];
  const firsts: number[] = [];
  let at = 0;
  let next = first;
  for (;;) {
    const header = headerAt(bytes, at);
    if (header === undefined || header.first !== next || header.count === 0) break;
    const end = at + headerBytes + header.payloadBytes;
    if (end > bytes.length || crc32(bytes.subarray(at + headerBytes, end)) !== header.payloadCrc) break;
    offsets.push(at);
    firsts.push(next);
    next += header.count;
    at = end;
  }
  return { offsets, firsts, end: at, next, broken: soundBehind(bytes, at + 1, next) };
}

/**
 * One write is under way at a time and nothing follows it before it is synced, so what tore is the last batch; a sound one
 * behind it means that bytes which were durable are damaged.
 */
function soundBehind(bytes: Buffer, from: number, next: number): boolean {
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    const header = headerAt(bytes, at);
    if (header === undefined || header.first <= next) continue;
    const payload = bytes.subarray(at + headerBytes, at + headerBytes + header.payloadBytes);
    if (linesOf(payload, header) !== undefined) return true;
  }
  return false;
}
