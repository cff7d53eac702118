import { type FileStart, readFileStart } from "./file-start.ts";
import { Handling, handlingOf, handlingOfPrivate, isGroupLength, isPrivateCreator } from "./identifying.ts";
import { hasSafeBlocks } from "./identifying-private.ts";
import { withoutPadding } from "./padding.ts";
import type { ReaderEvents } from "./reader-events.ts";
import { isPrivateTag } from "./tags.ts";
import { encodingOf } from "./transfer-syntaxes.ts";

/** What a reader has told about the places of identifying values, and how far the bytes have come. */
export interface CutRanges {
  /** Start, end, start, end… of what is to be cut, in the order of the stream. From index `next` on it is still to come. */
  readonly ranges: number[];
  next: number;
  /** From here on nothing is known, so everything is cut. */
  toldTo: number;
  /** What lies in front of this has gone by, and nothing learnt later changes it. */
  position: number;
  readonly events: CutEvents;
  /** Whether `value` is wanted for the element just told: it declares a private creator that may be a known one. */
  wantsValue(): boolean;
}

type CutEvents = Required<Omit<ReaderEvents, "encapsulatedEnd">>;

const creatorBytesMax = 64;

/**
 * Listens to a reader for what belongs to the identity half. What is not known to be harmless is cut: before the data
 * set begins, behind the place where a reading fails, and every byte of a deflated data set.
 */
export function createCutRanges(): CutRanges {
  const ranges: number[] = [];
  /** Known private creators of this data set or item, by group and upper byte of the element, and of those around it. */
  let creators: Map<number, string> | undefined;
  const outerCreators: (Map<number, string> | undefined)[] = [];
  /** The creator element just told, whose value comes next, and where it lies; 0 when the last was no such element. */
  let declaring = 0;
  let declaringAt = 0;
  let level = 0;
  /** The level of the identifying sequence we are in; 0 outside of one. */
  let cutLevel = 0;
  let fragmentsCut = false;
  let deflated = false;

  const add = (offset: number, length: number): void => {
    if (length > 0 && !deflated) ranges.push(offset, offset + length);
  };
  const handlingHere = (tag: number): Handling => {
    if (!isPrivateTag(tag)) return handlingOf(tag);
    if (isPrivateCreator(tag)) return Handling.cut; // until its value is seen
    const creator = creators?.get(tag >>> 8);
    return creator === undefined ? Handling.cut : handlingOfPrivate(tag, creator);
  };
  const declare = (tag: number, offset: number, length: number): void => {
    creators?.delete(blockOf(tag));
    if (length > creatorBytesMax || !hasSafeBlocks(tag >>> 16)) return;
    declaring = tag;
    declaringAt = offset;
  };

  const events: CutEvents = {
    preamble: (length) => add(0, length),
    dataSetStart(transferSyntaxUid, offset) {
      deflated = encodingOf(transferSyntaxUid).deflated;
      self.toldTo = deflated ? offset : Number.POSITIVE_INFINITY;
    },
    element(tag, _vr, offset, length) {
      if (cutLevel === 0) {
        if (handlingHere(tag) === Handling.kept || (isGroupLength(tag) && length === 4)) return;
        if (isPrivateCreator(tag)) declare(tag, offset, length);
      }
      add(offset, length);
    },
    value(bytes, from, to) {
      if (declaring === 0) return;
      const creator = creatorOf(bytes, from, to);
      // Divided by the end of a piece, it is gone already, and its block counts as nobody's.
      if (self.position <= declaringAt && handlingOfPrivate(declaring, creator) === Handling.kept) {
        if (!deflated) ranges.length -= 2;
        creators ??= new Map();
        creators.set(blockOf(declaring), creator);
      }
      declaring = 0;
    },
    sequenceStart(tag) {
      level += 1;
      if (cutLevel === 0 && handlingHere(tag) === Handling.cut) cutLevel = level;
    },
    sequenceEnd() {
      if (level === cutLevel) cutLevel = 0;
      level -= 1;
    },
    itemStart() {
      outerCreators.push(creators);
      creators = undefined;
    },
    itemEnd() {
      creators = outerCreators.pop();
    },
    encapsulatedStart(tag) {
      fragmentsCut = cutLevel > 0 || handlingHere(tag) !== Handling.kept;
    },
    fragment(_index, offset, length) {
      if (fragmentsCut) add(offset, length);
    },
    unread(offset) {
      self.toldTo = Math.min(self.toldTo, offset);
    },
  };
  const self: CutRanges = { ranges, next: 0, toldTo: 0, position: 0, events, wantsValue: () => declaring !== 0 };
  return self;
}

/** Tells of the preamble and file meta information that the caller itself puts in front of a data set. */
export function tellMeta({ events }: CutRanges, meta: Uint8Array): void {
  const start = readFileStart(meta, true) as FileStart; // a number only where more may come
  if (start.preambleBytes > 0) events.preamble(start.preambleBytes);
  for (const { tag, vr, offset, length } of start.elements) events.element(tag, vr, offset, length, 0);
  events.dataSetStart(start.transferSyntaxUid, start.dataSetOffset);
}

/** (gggg,00bb) declares the elements (gggg,bb00) to (gggg,bbFF): the three bytes that these share. */
function blockOf(creatorTag: number): number {
  return ((creatorTag >>> 16) << 8) | (creatorTag & 0xff);
}

function creatorOf(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i += 1) text += String.fromCharCode(bytes[i]!);
  return withoutPadding(text);
}
