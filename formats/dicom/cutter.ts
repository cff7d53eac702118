import { Problem } from "#base/problem";
import { type CutTable, copyBytes, cutsMax } from "./cuts.ts";
import { type CutRanges, createCutRanges, tellMeta } from "./cutter-ranges.ts";
import type { ReaderOptions } from "./reader.ts";

export interface CutterOptions {
  /** Gets the cut bytes piece by piece, in the order of the stream. A piece is only lent: copy or consume it. */
  onCut(piece: Uint8Array): void;
  /**
   * What the caller puts in front of a bare data set (`writeMeta`). It is the first that `cut` takes, and the offsets of
   * the data set count behind it.
   */
  readonly meta?: Uint8Array | undefined;
}

/**
 * Divides an instance on its way in: what remains is as long as what came, with zeros where an identifying value was. A
 * reader must see the bytes first, with the options that `beside` gives.
 */
export interface Cutter {
  /** The caller's options for the reader of this stream, with the cutter listening beside the caller. */
  beside(options: ReaderOptions): ReaderOptions;
  /**
   * Takes the next bytes of the stream, after the reader has taken them, and gives the image half of them: the same array
   * when nothing is cut, else a copy. What the reader has not told about is cut as a whole: the start of a file up to the
   * call that begins the data set (hold it until then), and everything behind the place where a reading fails.
   *
   * @throws Problem `too-large` for an object with more identifying values than `cutsMax`.
   */
  cut(bytes: Uint8Array): Uint8Array;
  /** What was cut so far. */
  table(): CutTable;
}

export function createCutter({ onCut, meta }: CutterOptions): Cutter {
  const told = createCutRanges();
  if (meta !== undefined) tellMeta(told, meta);
  const blanker = createBlanker(onCut);
  return {
    beside: (options) => listeningBeside(told, options, meta?.length),
    cut(bytes) {
      const from = told.position;
      const to = from + bytes.length;
      told.position = to;
      blanker.begin(bytes, from);
      const { ranges } = told;
      const known = Math.min(to, told.toldTo);
      while (told.next < ranges.length && ranges[told.next]! < known) {
        const end = ranges[told.next + 1]!;
        blanker.blank(Math.max(ranges[told.next]!, from), Math.min(end, known));
        if (end > to) break;
        told.next += 2;
      }
      if (told.next === ranges.length) {
        ranges.length = 0;
        told.next = 0;
      }
      blanker.blank(Math.max(known, from), to);
      return blanker.end();
    },
    table: blanker.table,
  };
}

const noBytes = new Uint8Array(0);

/** Blanks one piece at a time, and keeps the table of all that was blanked. */
function createBlanker(onCut: (piece: Uint8Array) => void) {
  const offsets: number[] = [];
  const lengths: number[] = [];
  let lastEnd = -1;
  let given: Uint8Array = noBytes;
  let out: Uint8Array = noBytes;
  let base = 0;
  let taken = new Uint8Array(2048);
  let used = 0;

  const note = (from: number, size: number): void => {
    if (from === lastEnd) lengths[lengths.length - 1]! += size;
    else if (offsets.length < cutsMax) {
      offsets.push(from);
      lengths.push(size);
    } else throw new Problem("too-large", `more than ${cutsMax} identifying values in one object`);
    lastEnd = from + size;
  };
  return {
    begin(bytes: Uint8Array, offset: number): void {
      given = bytes;
      out = bytes;
      base = offset;
    },
    blank(from: number, to: number): void {
      if (from >= to) return;
      const size = to - from;
      const at = from - base;
      note(from, size);
      if (out === given) out = new Uint8Array(given); // not `slice`: of a Buffer that is a view
      if (used + size > taken.length) {
        const larger = new Uint8Array(Math.max(taken.length * 2, used + size));
        larger.set(taken.subarray(0, used));
        taken = larger;
      }
      copyBytes(given, at, taken, used, size);
      out.fill(0, at, at + size);
      used += size;
    },
    end(): Uint8Array {
      const result = out;
      if (used > 0) onCut(taken.subarray(0, used));
      used = 0;
      given = out = noBytes;
      return result;
    },
    table: (): CutTable => ({ offsets: new Float64Array(offsets), lengths: new Float64Array(lengths) }),
  };
}

function listeningBeside(told: CutRanges, options: ReaderOptions, metaBytes: number | undefined): ReaderOptions {
  const { events: own = {}, capture: ownCapture } = options;
  const ours = told.events;
  const ownElement = own.element; // apart from the others, as it comes most often
  let wanted = false;
  return {
    ...options,
    ...(metaBytes !== undefined && { dataSetOffset: metaBytes }),
    capture(tag, vr, length, depth) {
      wanted = ownCapture?.(tag, vr, length, depth) ?? false;
      return wanted || told.wantsValue();
    },
    events: {
      ...own,
      preamble: both(ours.preamble, own.preamble),
      dataSetStart: both(ours.dataSetStart, own.dataSetStart),
      element:
        ownElement === undefined
          ? ours.element
          : (tag, vr, offset, length, depth) => {
              ours.element(tag, vr, offset, length, depth);
              ownElement(tag, vr, offset, length, depth);
            },
      value(bytes, from, to) {
        ours.value(bytes, from, to);
        if (wanted) own.value?.(bytes, from, to);
      },
      sequenceStart: both(ours.sequenceStart, own.sequenceStart),
      sequenceEnd: both(ours.sequenceEnd, own.sequenceEnd),
      itemStart: both(ours.itemStart, own.itemStart),
      itemEnd: both(ours.itemEnd, own.itemEnd),
      encapsulatedStart: both(ours.encapsulatedStart, own.encapsulatedStart),
      fragment: both(ours.fragment, own.fragment),
      unread: both(ours.unread, own.unread),
    },
  };
}

function both<A extends unknown[]>(first: (...told: A) => void, second: ((...told: A) => void) | undefined) {
  if (second === undefined) return first;
  return (...told: A) => {
    first(...told);
    second(...told);
  };
}
