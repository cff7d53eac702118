import {
  decodeFooter,
  decodeFrameHead,
  decodeHeader,
  encodeHeader,
  type Footer,
  footerBytes,
  frameStride,
  type Header,
  headBytes,
  headerBytes,
  magics,
  segmentCount,
} from "./format.ts";
import type { FoundObject, Gap, PackRange } from "./sealed-objects.ts";

/** Reads up to `into.length` bytes at a position of one pack; the count read. */
export type ReadAt = (position: number, into: Uint8Array) => Promise<number>;

/** A range of a pack whose objects were given up: finished perhaps, never acknowledged, never to be found. */
export interface VoidRange {
  readonly from: number;
  readonly to: number;
}

export interface ScanRange {
  readonly pack: string;
  readonly from: number;
  readonly to: number;
  readonly voids?: readonly VoidRange[];
}

const searchBytes = 256 * 1024;

/**
 * Walks a pack from object to object without keys and without reading what is sealed: header, then by galloping over the frame
 * heads to the record, then the footer. Where that breaks, it searches for the next header or footer and says what lies between.
 */
export async function* scanObjects(read: ReadAt, range: ScanRange): AsyncGenerator<FoundObject | Gap> {
  const { pack, to } = range;
  const readAt = windowed(read);
  let segmentsBefore = 1;
  const isVoid = (position: number) => range.voids?.find((each) => position >= each.from && position < each.to);
  let at = range.from;
  while (at < to) {
    const given = isVoid(at);
    if (given !== undefined) {
      at = Math.min(given.to, to);
      continue;
    }
    const header = await headerAt(readAt, at, to);
    const found = header && (await finishedObject(readAt, { pack, start: at, to }, header, segmentsBefore));
    if (found !== undefined) {
      segmentsBefore = segmentCount(found.sizeBytes);
      yield found;
      at = found.endPosition;
      continue;
    }
    const next = await resume(readAt, pack, at, header === undefined ? at + 1 : at + headerBytes, to);
    if (next.object !== undefined && next.object.start >= at) {
      if (next.object.start > at) yield { pack, gapFrom: at, gapTo: next.object.start };
      if (isVoid(next.object.start) === undefined) yield next.object;
    } else {
      yield { pack, gapFrom: at, gapTo: next.at };
    }
    at = next.at;
  }
}

async function readWhole(readAt: ReadAt, position: number, bytes: number, to: number): Promise<Buffer | undefined> {
  if (position + bytes > to) return undefined;
  const into = Buffer.alloc(bytes);
  let have = 0;
  while (have < bytes) {
    const count = await readAt(position + have, into.subarray(have));
    if (count === 0) return undefined;
    have += count;
  }
  return into;
}

async function headerAt(readAt: ReadAt, at: number, to: number): Promise<Header | undefined> {
  const bytes = await readWhole(readAt, at, headerBytes, to);
  return bytes && decodeHeader(bytes);
}

export async function footerAt(readAt: ReadAt, at: number, to: number): Promise<Footer | undefined> {
  const bytes = await readWhole(readAt, at, footerBytes, to);
  return bytes && decodeFooter(bytes);
}

/** From header to behind the footer of the object at a place; undefined when no footer stands there. */
export async function rangeAt(
  readAt: ReadAt,
  place: Pick<FoundObject, "pack" | "offset">,
): Promise<PackRange | undefined> {
  const footer = await footerAt(readAt, place.offset, Number.MAX_SAFE_INTEGER);
  if (footer === undefined || footer.bodyBytes > place.offset) return undefined;
  return { pack: place.pack, from: place.offset - footer.bodyBytes, to: place.offset + footerBytes };
}

/**
 * The header of an object that is copied into another pack: what it says of the pack's storage is not true there, and outside of
 * what its tags prove. Undefined when these bytes are no header.
 */
export function headerInNewPack(header: Buffer): Buffer | undefined {
  const decoded = decodeHeader(header);
  return decoded && encodeHeader({ ...decoded, provenTo: 0 });
}

function foundObject(pack: string, start: number, footer: Footer): FoundObject {
  const offset = start + footer.bodyBytes;
  const { id, studyToken, sizeBytes } = footer;
  return { pack, start, offset, endPosition: offset + footerBytes, id, studyToken, sizeBytes };
}

/** The object whose header stands at `start`, when its framing leads to a footer of the same object. */
async function finishedObject(
  readAt: ReadAt,
  where: { readonly pack: string; readonly start: number; readonly to: number },
  header: Header,
  segmentsGuess: number,
): Promise<FoundObject | undefined> {
  const { pack, start, to } = where;
  const id = Buffer.from(header.id, "hex");
  const headAt = async (position: number) => {
    const bytes = await readWhole(readAt, position, headBytes, to);
    return bytes && decodeFrameHead(bytes, id);
  };
  const dataHead = async (index: number) => {
    const head = await headAt(start + headerBytes + index * frameStride);
    return head?.kind === "data" && head.index === index ? head : undefined;
  };
  const last = await lastDefined(dataHead, segmentsGuess - 1);
  const recordAt =
    last === undefined
      ? start + headerBytes
      : start + headerBytes + last.index * frameStride + headBytes + last.sealedBytes;
  const record = await headAt(recordAt);
  if (record?.kind !== "record") return undefined;
  const offset = recordAt + headBytes + record.sealedBytes;
  const footer = await footerAt(readAt, offset, to);
  if (footer === undefined || footer.id !== header.id || footer.bodyBytes !== offset - start) return undefined;
  return foundObject(pack, start, footer);
}

/**
 * The value at the greatest index that has one, when there are values up to some index and none from there. Two questions when
 * the guess is right (the images of a series are equally long), else a gallop and a halving.
 */
async function lastDefined<Value>(
  valueAt: (index: number) => Promise<Value | undefined>,
  guess: number,
): Promise<Value | undefined> {
  let best = guess >= 0 ? await valueAt(guess) : undefined;
  let low = best === undefined ? -1 : guess;
  let high = best === undefined ? Math.max(guess, 0) : guess + 1;
  if (best !== undefined || guess < 0) {
    for (let step = 1; ; step *= 2) {
      const value = await valueAt(high);
      if (value === undefined) break;
      best = value;
      low = high;
      high += step;
    }
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const value = await valueAt(middle);
    if (value === undefined) high = middle;
    else {
      best = value;
      low = middle;
    }
  }
  return best;
}

const windowBytes = 4096;

/** The end of one object and the beginning of the next are asked for in small pieces that lie in one page: read once. */
function windowed(read: ReadAt): ReadAt {
  const window = Buffer.alloc(windowBytes);
  let from = 0;
  let have = 0;
  return async (position, into) => {
    if (into.length > windowBytes) return read(position, into);
    if (position < from || position + into.length > from + have) {
      from = position;
      have = 0;
      have = await read(position, window);
    }
    const count = Math.min(into.length, have - (position - from));
    into.set(window.subarray(position - from, position - from + count));
    return count;
  };
}

/** The next thing that makes sense behind a break: a finished object by its footer, or the place of a header, or the end. */
async function resume(
  readAt: ReadAt,
  pack: string,
  brokenAt: number,
  from: number,
  to: number,
): Promise<{ readonly at: number; readonly object?: FoundObject }> {
  for await (const hit of search(readAt, from, to)) {
    if (hit.magic === "header") {
      if ((await headerAt(readAt, hit.at, to)) !== undefined) return { at: hit.at };
      continue;
    }
    const footer = await footerAt(readAt, hit.at, to);
    if (footer === undefined || hit.at - footer.bodyBytes < brokenAt) continue;
    const object = foundObject(pack, hit.at - footer.bodyBytes, footer);
    return { at: object.endPosition, object };
  }
  return { at: to };
}

/** A search begins with so much and doubles it: the next magic is mostly near, and a pack full of them must not be read anew for each. */
const searchBytesFirst = 2 * 1024;

/** Where the magics of header and footer stand, in order. */
async function* search(
  readAt: ReadAt,
  from: number,
  to: number,
): AsyncGenerator<{ magic: "header" | "footer"; at: number }> {
  const overlap = magics.header.length - 1;
  let step = searchBytesFirst;
  for (let at = from; at < to; at += step, step = Math.min(2 * step, searchBytes)) {
    const bytes = await readWhole(readAt, at, Math.min(step + overlap, to - at), to);
    if (bytes === undefined) return;
    yield* hitsIn(bytes, at);
  }
}

function hitsIn(bytes: Buffer, at: number): { magic: "header" | "footer"; at: number }[] {
  const hits: { magic: "header" | "footer"; at: number }[] = [];
  for (const magic of ["header", "footer"] as const) {
    for (let found = bytes.indexOf(magics[magic]); found >= 0; found = bytes.indexOf(magics[magic], found + 1)) {
      hits.push({ magic, at: at + found });
    }
  }
  return hits.sort((a, b) => a.at - b.at);
}

/** How a pack ends: after its last finished object, and whether what follows bears the trace of an end. */
export interface PackTail {
  /** End of the last object whose footer stands, 0 when there is none. */
  readonly lastEnd: number;
  /** What that object's header says was on stable storage before it. */
  readonly provenTo: number;
  /** The bytes behind `lastEnd` hold a record's frame head or a footer's magic: more than a torn write leaves behind. */
  readonly isSuspect: boolean;
}

/** Finds the tail by searching backwards for the last footer that stands, so that a start reads no more than that. */
export async function findTail(readAt: ReadAt, sizeBytes: number): Promise<PackTail> {
  let isSuspect = false;
  for (let to = sizeBytes; to > 0; to -= searchBytes) {
    const from = Math.max(0, to - searchBytes);
    const overlap = Math.min(magics.footer.length - 1, sizeBytes - to);
    const bytes = await readWhole(readAt, from, to - from + overlap, sizeBytes);
    if (bytes === undefined) break;
    if (bytes.includes("DREC")) isSuspect = true;
    for (const hit of hitsIn(bytes, from).reverse()) {
      if (hit.magic !== "footer") continue;
      const footer = await footerAt(readAt, hit.at, sizeBytes);
      const start = footer && hit.at - footer.bodyBytes;
      if (start === undefined || start < 0) {
        isSuspect = true;
        continue;
      }
      const lastEnd = hit.at + footerBytes;
      if (isSuspect) isSuspect = await hasTrace(readAt, lastEnd, sizeBytes);
      const header = await headerAt(readAt, start, sizeBytes);
      return { lastEnd, provenTo: Math.min(header?.provenTo ?? 0, start), isSuspect };
    }
  }
  return { lastEnd: 0, provenTo: 0, isSuspect };
}

/** Whether bytes hold the magic of a footer or of a record's frame head. Read in pieces that overlap. */
async function hasTrace(readAt: ReadAt, from: number, to: number): Promise<boolean> {
  for (let at = from; at < to; at += searchBytes) {
    const bytes = await readWhole(readAt, at, Math.min(searchBytes + 8, to - at), to);
    if (bytes?.includes("DREC") || bytes?.includes(magics.footer)) return true;
  }
  return false;
}
