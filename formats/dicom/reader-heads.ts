import { itemEndTag, itemTag, sequenceEndTag, undefinedLength } from "./element-head.ts";
import { fail, Inside, popFrame, pushFrame, type ReaderState, Status } from "./reader-state.ts";
import { Tag } from "./tags.ts";
import { vrSlotOf, vrSlots, vrTable } from "./vr.ts";

const noBytes = new Uint8Array(0);
const { letters: lettersBySlot, headBytes, vrs } = vrSlots;

/**
 * The fast road: elements of explicit VR little endian with a known VR and a value that lies wholly in this piece, read
 * in local variables. Stops in front of whatever else there is, which `takeHead` then takes, and gives its place.
 */
export function passUsualElements(s: ReaderState, bytes: Uint8Array, view: DataView, from: number): number {
  const { base, events, capture, depth, inside } = s;
  if (!s.settled || !s.explicitVr || s.bigEndian || inside === Inside.sequence || inside === Inside.fragments)
    return from;
  const end = Math.min(bytes.length, s.end - base);
  const stopMin = s.level === 0 ? s.stopMin : Number.POSITIVE_INFINITY;
  const elementsMax = s.limits.elementsMax;
  let { elements } = s;
  let at = from;
  while (at + 12 <= end && elements < elementsMax) {
    const word = view.getInt32(at, true);
    const tag = (word << 16) | (word >>> 16);
    if (tag < 0 || tag >= stopMin) break; // groups from 8000 on: rare, and the marks FFFE among them
    const letters = view.getUint16(at + 4, true);
    const slot = vrSlotOf(letters);
    if (lettersBySlot[slot] !== letters || letters === sequenceLetters) break;
    const size = headBytes[slot]!;
    const length = size === 8 ? view.getUint16(at + 6, true) : view.getUint32(at + 8, true);
    const value = at + size;
    if (value + length > end) break;
    const vr = vrs[slot]!;
    elements += 1;
    events.element(tag, vr, base + value, length, depth);
    at = value + length;
    if (capture?.(tag, vr, length, depth) !== true) continue;
    s.captured += length;
    if (s.captured > s.limits.capturedBytesMax) {
      fail(s, "too-large", `more than ${s.limits.capturedBytesMax} bytes of values`, base + value, tag);
      break;
    }
    events.value(bytes, value, at);
  }
  s.elements = elements;
  return at;
}

/** "SQ", as `vrSlotOf` takes it. */
const sequenceLetters = 0x5153;

/** Acts on the head just parsed into `s`, whose value begins at `offset`. */
export function takeHead(s: ReaderState, offset: number, headSize: number): void {
  s.elements += 1;
  if (s.elements > s.limits.elementsMax) {
    fail(s, "too-large", `more than ${s.limits.elementsMax} elements`, offset - headSize, s.tag);
    return;
  }
  if (s.inside === Inside.sequence) {
    takeItemHead(s, offset);
    return;
  }
  if (s.inside === Inside.fragments) {
    takeFragmentHead(s, offset);
    return;
  }
  if (s.tag >> 16 === -2) {
    takeDelimiter(s, offset);
    return;
  }
  takeElementHead(s, offset, headSize);
}

function takeElementHead(s: ReaderState, offset: number, headSize: number): void {
  const { tag, vr, length } = s;
  if (s.level === 0 && (tag >>> 0 > s.lastWanted || (tag >= s.stopMin && s.stops.includes(tag)))) {
    s.stop = { tag: tag >>> 0, vr, headOffset: offset - headSize, valueOffset: offset, length };
    s.status = Status.stopped;
    s.events.unread(offset - headSize);
    return;
  }
  if (vr === "SQ" || length === undefinedLength) {
    openContainer(s, offset);
    return;
  }
  if (offset + length > s.end) {
    fail(s, "invalid", "a value is longer than the item that holds it", offset - headSize, tag);
    return;
  }
  s.events.element(tag >>> 0, vr, offset, length, s.depth);
  s.left = length;
  if (s.capture?.(tag >>> 0, vr, length, s.depth)) startCapture(s, offset);
}

function startCapture(s: ReaderState, offset: number): void {
  s.captured += s.left;
  if (s.captured > s.limits.capturedBytesMax) {
    fail(s, "too-large", `more than ${s.limits.capturedBytesMax} bytes of values`, offset, s.tag);
    return;
  }
  if (s.left === 0) s.events.value(noBytes, 0, 0);
  else s.capturing = true;
}

function openContainer(s: ReaderState, offset: number): void {
  const { tag, vr, length } = s;
  const end = length === undefinedLength ? Number.POSITIVE_INFINITY : offset + length;
  if (end !== Number.POSITIVE_INFINITY && end > s.end) {
    fail(s, "invalid", "a sequence is longer than the item that holds it", offset, tag);
    return;
  }
  const encapsulated = vr !== "SQ" && (tag === Tag.PixelData || (s.explicitVr && vr !== "UN"));
  if (encapsulated) {
    if (vrTable[vr].kind !== "bytes") {
      fail(s, "invalid", `undefined length is not allowed with VR ${vr}`, offset, tag);
      return;
    }
    s.events.encapsulatedStart(tag >>> 0, vr, offset);
    pushFrame(s, Inside.fragments, tag, end);
    return;
  }
  if (s.depth >= s.limits.depthMax) {
    fail(s, "too-large", `sequences nest deeper than ${s.limits.depthMax}`, offset, tag);
    return;
  }
  s.events.sequenceStart(tag >>> 0, vr, offset, length);
  pushFrame(s, Inside.sequence, tag, end);
  if (vr !== "SQ") {
    // UN with undefined length holds implicit VR little endian, whatever is around it (PS3.5 §6.2.2 note 4).
    s.explicitVr = false;
    s.bigEndian = false;
  }
  if (end === offset) popFrame(s, offset);
}

function takeItemHead(s: ReaderState, offset: number): void {
  if (s.tag === itemTag) {
    const end = s.length === undefinedLength ? Number.POSITIVE_INFINITY : offset + s.length;
    if (end !== Number.POSITIVE_INFINITY && end > s.end) {
      fail(s, "invalid", "an item is longer than its sequence", offset - 8);
      return;
    }
    const frame = s.frames[s.level - 1]!;
    s.events.itemStart(frame.count, offset, s.length);
    frame.count += 1;
    pushFrame(s, Inside.item, s.tag, end);
    if (end === offset) popFrame(s, offset);
    return;
  }
  if (s.tag === sequenceEndTag) {
    popFrame(s, offset);
    return;
  }
  if (s.tag === itemEndTag) return; // some writers end every item with a delimiter, also those of a stated length
  fail(s, "invalid", "a sequence holds something that is not an item", offset - 8, s.tag);
}

/** A delimiter where an element may stand: it ends the item, or (its own delimiter missing) item and sequence. */
function takeDelimiter(s: ReaderState, offset: number): void {
  if (s.level > 0 && s.tag === itemEndTag) {
    popFrame(s, offset);
    return;
  }
  if (s.level > 0 && s.tag === sequenceEndTag) {
    popFrame(s, offset);
    popFrame(s, offset);
    return;
  }
  if (s.level === 0 && s.tag !== itemTag && s.length === 0) return; // left over after a sequence of stated length
  fail(s, "invalid", "an item stands where an element belongs", offset - 8, s.tag);
}

function takeFragmentHead(s: ReaderState, offset: number): void {
  if (s.tag === sequenceEndTag) {
    popFrame(s, offset);
    return;
  }
  if (s.tag !== itemTag || s.length === undefinedLength) {
    fail(s, "invalid", "encapsulated pixel data holds something that is not a fragment", offset - 8, s.tag);
    return;
  }
  const frame = s.frames[s.level - 1]!;
  const isTable = frame.count === 0;
  s.events.fragment(frame.count, offset, s.length);
  frame.count += 1;
  s.left = s.length;
  if (isTable && s.capture?.(frame.tag >>> 0, "UL", s.length, s.depth)) startCapture(s, offset);
}
