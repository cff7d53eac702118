import { type KeyObject, timingSafeEqual } from "node:crypto";
import { Problem } from "#base/problem";
import {
  bodyBytesOf,
  decodeFooter,
  decodeFrameHead,
  decodeHeader,
  type Footer,
  footerBytes,
  frameNonce,
  frameStride,
  headBytes,
  headerBytes,
  objectContext,
  segmentBytes,
  segmentCount,
  tagBytes,
} from "./format.ts";
import { openMessage } from "./primitives.ts";
import type { ReadAt } from "./scan.ts";
import { footerContext, type ObjectKey, objectKey } from "./sealer.ts";
import type { OpenedImage, OpenedObject, SealedPlace } from "./vault.ts";
import type { WholeOpener } from "./whole.ts";

/**
 * Buffers that sealed bytes are read into and opened from. They are used again: new ones for each group would be half of what an
 * archive that sends images throws away.
 */
export interface SealedBuffers {
  take(bytes: number): Buffer;
  give(buffer: Buffer): void;
}

/** Segments read at once: long enough to keep a disk busy, short enough to keep the loop free. */
const groupSegments = 8;
const sealedBufferBytes = headerBytes + groupSegments * frameStride;
/**
 * Read along with the footer, which stands at the end: an identity half is mostly no longer. A trip through the thread pool costs
 * as much as reading 200 KiB (50 µs here, on two cores).
 */
const tailBytes = 16 * 1024;
/** What is shorter is opened sooner than a thread is asked. */
const apartBytesMin = 64 * 1024;
/** What the record and its framing are allowed for where the whole of an object is read at once. */
const recordRoomBytes = 1024;
/** Groups that are read at once by streams that overlap; more are made anew. */
const sealedBuffersMost = 8;

export function createSealedBuffers(): SealedBuffers {
  const free: Buffer[] = [];
  return {
    take(bytes) {
      const used = bytes <= sealedBufferBytes ? free.pop() : undefined;
      // Few segments of a small object are worth no buffer that is kept.
      const made = () => Buffer.alloc(4 * bytes < sealedBufferBytes ? bytes : Math.max(bytes, sealedBufferBytes));
      return (used ?? made()).subarray(0, bytes);
    },
    give({ buffer, byteOffset }) {
      if (buffer.byteLength - byteOffset < sealedBufferBytes || free.length >= sealedBuffersMost) return;
      free.push(Buffer.from(buffer, byteOffset, sealedBufferBytes));
    },
  };
}

/** An object whose footer has proven: who it is and how long it is. */
export interface ProvenObject {
  readonly place: SealedPlace;
  readonly footer: Footer;
  readonly key: ObjectKey;
  readonly readAt: ReadAt;
  readonly buffers: SealedBuffers;
  /** What was read along with the footer: for the first who reads, so that nothing is held for as long as an object is open. */
  tail: Tail | undefined;
}

/** Sealed bytes in a row, up to a footer. */
interface Tail {
  /** Position of the first in the pack. */
  readonly from: number;
  readonly bytes: Buffer;
}

function damaged(what: string): Problem {
  return new Problem("damaged", `a sealed object failed its proof: ${what}`, {
    remedy: "run `leadglass vault check`, and restore the object from a backup or send it again",
  });
}

/** A place says which object it holds; whoever can write to a pack may have put another one there. */
export function anotherObject(): Problem {
  return damaged("another object lies in its place");
}

export type StudyKeyOf = (studyToken: string) => KeyObject | undefined | Promise<KeyObject | undefined>;

export interface Proving {
  readonly readAt: ReadAt;
  readonly tenantId: Uint8Array;
  readonly part: number;
  readonly studyKeyOf: StudyKeyOf;
  readonly buffers: SealedBuffers;
  /** How long the object is, for who will read the whole of it: it is then read at once where that is not too long. */
  readonly sizeBytes?: number | undefined;
}

/** Reads and proves the footer at a place. Problem "damaged" when it does not prove, "absent" when its study's key is gone. */
export async function proveObject(place: SealedPlace, proving: Proving): Promise<ProvenObject> {
  const { readAt, tenantId, part, studyKeyOf, buffers } = proving;
  if (!Number.isSafeInteger(place.offset) || place.offset < headerBytes) throw damaged("no object ends there");
  const { footer, tail } = await readTail(place, proving);
  if (footer === undefined) throw damaged("its footer is broken");
  if (footer.bodyBytes > place.offset) throw damaged("it would begin before its pack");
  if (footer.part !== part) throw damaged("it belongs to the other half");
  const studyKey = await studyKeyOf(footer.studyToken);
  if (studyKey === undefined) throw new Problem("absent", "the key of this object's study is not there");
  const key = objectKey(studyKey, footer.nonce, objectContext(tenantId, footer));
  if (!timingSafeEqual(key.commitment, footer.commitment)) throw damaged("it was sealed under another key");
  const nonce = frameNonce("footer", segmentCount(footer.sizeBytes));
  if (openMessage(key.key, nonce, footerContext(key, footer.proven), footer.tag) === undefined) {
    throw damaged("its footer was changed");
  }
  return { place, footer, key, readAt, buffers, tail };
}

async function readTail(
  { offset }: SealedPlace,
  { readAt, buffers, sizeBytes = 0 }: Proving,
): Promise<{ readonly footer: Footer | undefined; readonly tail: Tail }> {
  const whole = bodyBytesOf(sizeBytes, recordRoomBytes) + footerBytes;
  const isWhole = whole > tailBytes && whole <= sealedBufferBytes;
  const before = Math.min(offset, (isWhole ? whole : tailBytes) - footerBytes);
  const from = offset - before;
  const bytes = isWhole ? buffers.take(before + footerBytes) : Buffer.alloc(before + footerBytes);
  let have = 0;
  while (have < bytes.length) {
    const count = await readAt(from + have, bytes.subarray(have));
    if (count === 0) break;
    have += count;
  }
  const footer = have === bytes.length ? decodeFooter(bytes.subarray(before)) : undefined;
  return { footer, tail: { from, bytes } };
}

/** Sealed bytes `from` to `to` of a pack. What the tail holds is taken from there, and the tail then is gone. */
async function takeSealed(object: ProvenObject, from: number, to: number): Promise<SealedBytes> {
  const { tail, buffers, readAt } = object;
  object.tail = undefined;
  if (tail !== undefined && tail.from <= from && to <= tail.from + tail.bytes.length) {
    return { bytes: tail.bytes.subarray(from - tail.from, to - tail.from), free: () => buffers.give(tail.bytes) };
  }
  const bytes = buffers.take(to - from);
  await fill(bytes, readAt, from);
  return { bytes, free: () => buffers.give(bytes) };
}

interface SealedBytes {
  readonly bytes: Buffer;
  /** They are read; their buffer is for the next. */
  free(): void;
}

async function readExactly(readAt: ReadAt, position: number, bytes: number): Promise<Buffer> {
  const into = Buffer.alloc(bytes);
  await fill(into, readAt, position);
  return into;
}

async function fill(into: Buffer, readAt: ReadAt, position: number): Promise<void> {
  for (let have = 0; have < into.length; ) {
    const count = await readAt(position + have, into.subarray(have));
    if (count === 0) throw damaged("its pack ends inside it");
    have += count;
  }
}

/** Where segment `index` begins, counted from the first byte of the object. */
function segmentStart(index: number): number {
  return headerBytes + index * frameStride;
}

function segmentLength(sizeBytes: number, index: number): number {
  return Math.min(segmentBytes, sizeBytes - index * segmentBytes);
}

/**
 * Segments `first` to `last` (both included), each opened and proven. Header and frame heads are only signposts for recovery and lie
 * beside what is read: one that is not as it was written is damage too, and found before it is needed.
 */
async function openSegments(object: ProvenObject, first: number, last: number): Promise<Buffer[]> {
  const { footer, place } = object;
  const begin = first === 0 ? 0 : segmentStart(first);
  const end = segmentStart(last) + headBytes + segmentLength(footer.sizeBytes, last) + tagBytes;
  const start = place.offset - footer.bodyBytes;
  const sealed = await takeSealed(object, start + begin, start + end);
  try {
    if (first === 0) checkHeader(object, sealed.bytes);
    return Array.from({ length: last - first + 1 }, (_, at) => openSegment(object, first + at, sealed.bytes, begin));
  } finally {
    sealed.free();
  }
}

/** One sealed segment out of `bytes`, which begin `begin` behind the first byte of the object. */
function sealedSegment(object: ProvenObject, index: number, bytes: Buffer, begin: number): Buffer {
  const from = segmentStart(index) - begin + headBytes;
  const sealed = bytes.subarray(from, from + segmentLength(object.footer.sizeBytes, index) + tagBytes);
  checkHead(object, bytes.subarray(from - headBytes, from), { kind: "data", index, sealed });
  return sealed;
}

function openSegment(object: ProvenObject, index: number, bytes: Buffer, begin: number): Buffer {
  const sealed = sealedSegment(object, index, bytes, begin);
  const { key } = object;
  const plain = openMessage(key.key, frameNonce("data", index), key.context, sealed);
  if (plain === undefined) throw damaged(`segment ${index}`);
  return plain;
}

export function openedObject(object: ProvenObject): OpenedObject {
  const { sizeBytes } = object.footer;
  const checkRange = (from: number, to: number) => {
    if (!(from >= 0 && from <= to && to <= sizeBytes)) throw new RangeError("a range outside of the object");
  };

  async function* stream(from = 0, to = sizeBytes): AsyncGenerator<Buffer> {
    checkRange(from, to);
    if (from === to) return;
    const last = Math.floor((to - 1) / segmentBytes);
    const groupFrom = (first: number) => openSegments(object, first, Math.min(first + groupSegments - 1, last));
    let first = Math.floor(from / segmentBytes);
    let ahead = groupFrom(first);
    while (first <= last) {
      const group = await ahead;
      const next = first + group.length;
      if (next <= last) {
        ahead = groupFrom(next);
        ahead.catch(() => {}); // reported when it is awaited; the caller may stop before
      }
      for (const [i, plain] of group.entries()) {
        const at = (first + i) * segmentBytes;
        yield plain.subarray(Math.max(0, from - at), Math.min(plain.length, to - at));
      }
      first = next;
    }
  }

  return {
    id: object.footer.id,
    studyToken: object.footer.studyToken,
    sizeBytes,
    stream,
    async read(from, to) {
      checkRange(from, to);
      if (from === to) return Buffer.alloc(0);
      const first = Math.floor(from / segmentBytes);
      if (Math.floor((to - 1) / segmentBytes) === first) {
        const [plain] = await openSegments(object, first, first);
        return (plain as Buffer).subarray(from - first * segmentBytes, to - first * segmentBytes);
      }
      const out = Buffer.alloc(to - from);
      let at = 0;
      for await (const piece of stream(from, to)) {
        out.set(piece, at);
        at += piece.length;
      }
      return out;
    },
  };
}

/** An image half, of which a thread opens all where that was read along with the footer. */
export function openedImage(object: ProvenObject, threads: WholeOpener | undefined): OpenedImage {
  const { footer, place, key, buffers } = object;
  const start = place.offset - footer.bodyBytes;
  return {
    ...openedObject(object),
    patched(patches, hashFrom) {
      const { tail } = object;
      if (threads === undefined || footer.sizeBytes < apartBytesMin || tail === undefined || tail.from > start) {
        return undefined;
      }
      const bytes = tail.bytes.subarray(start - tail.from);
      checkHeader(object, bytes);
      const segments = Array.from({ length: segmentCount(footer.sizeBytes) }, (_, at) =>
        sealedSegment(object, at, bytes, 0),
      );
      const done = threads.open({ segments, key: key.key, context: key.context, patches, hashFrom });
      if (done === undefined) return undefined;
      object.tail = undefined;
      return done.then(({ answer, sealed }) => {
        buffers.give(Buffer.from(sealed));
        if ("damagedSegment" in answer) throw damaged(`segment ${answer.damagedSegment}`);
        return answer;
      });
    },
  };
}

/** Opens the record of an object. */
export async function openRecord(object: ProvenObject): Promise<Buffer> {
  const { footer, key, place } = object;
  const sealed = await takeSealed(object, place.offset - footer.recordBytes - tagBytes, place.offset);
  const nonce = frameNonce("record", segmentCount(footer.sizeBytes));
  const record = openMessage(key.key, nonce, key.context, sealed.bytes);
  sealed.free();
  if (record === undefined) throw damaged("its record");
  return record;
}

/** Opens and proves everything of an object: each segment with its framing, record, header. Throws what it finds first. */
export async function verifyWhole(object: ProvenObject): Promise<void> {
  const { footer, place, readAt } = object;
  const segments = segmentCount(footer.sizeBytes);
  if (segments === 0) checkHeader(object, await readExactly(readAt, place.offset - footer.bodyBytes, headerBytes));
  for (let first = 0; first < segments; first += groupSegments) {
    await openSegments(object, first, Math.min(first + groupSegments, segments) - 1);
  }
  await openRecord(object);
  const sealedBytes = footer.recordBytes + tagBytes;
  const record = await readExactly(readAt, place.offset - sealedBytes - headBytes, headBytes + sealedBytes);
  const sealed = record.subarray(headBytes);
  checkHead(object, record.subarray(0, headBytes), { kind: "record", index: segments, sealed });
}

/** A header says again what the footer proves; its hint for recovery is no proof, but never points behind the object. */
function checkHeader({ footer, place }: ProvenObject, bytes: Buffer): void {
  const header = decodeHeader(bytes);
  const isRight = header !== undefined && bytes.compare(footer.proven, 32, 144, 0, 112) === 0;
  if (!isRight || header.provenTo > place.offset - footer.bodyBytes) throw damaged("its header");
}

function checkHead(
  object: ProvenObject,
  bytes: Buffer,
  frame: { readonly kind: "data" | "record"; readonly index: number; readonly sealed: Buffer },
): void {
  const head = decodeFrameHead(bytes, Buffer.from(object.footer.id, "hex"));
  const isRight = head?.kind === frame.kind && head.index === frame.index && head.sealedBytes === frame.sealed.length;
  if (!isRight) throw damaged(`the frame of ${frame.kind} ${frame.index}`);
}
