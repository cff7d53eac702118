import { implicitVrOf } from "./dictionary.ts";
import { type Vr, vrSlotOf, vrSlots } from "./vr.ts";

/** The length field of an element, sequence or item that ends with a delimiter (PS3.5 §7.1.1, §7.5.1). */
export const undefinedLength = 0xffffffff;

/** Items and delimiters, as signed 32-bit numbers: the readers keep tags so, because V8 keeps those unboxed. */
export const itemTag = 0xfffee000 | 0;
export const itemEndTag = 0xfffee00d | 0;
export const sequenceEndTag = 0xfffee0dd | 0;

/** How heads are written at this place of the stream, and the head that was read last. */
export interface HeadState {
  explicitVr: boolean;
  bigEndian: boolean;
  /** Signed. */
  tag: number;
  /** UN for items, delimiters, and letters that are no VR. */
  vr: Vr;
  length: number;
}

const { letters: lettersBySlot, headBytes, vrs } = vrSlots;

/**
 * Reads the head of an element, item or delimiter at `at` into `s` (PS3.5 §7.1.2, §7.1.3, §7.5.1). A DataView, because
 * its reads of several bytes are a single load with a single bounds check.
 *
 * @returns the size of the head, or 0 when it does not lie wholly before `end`.
 */
export function parseHead(s: HeadState, view: DataView, at: number, end: number): number {
  if (end - at < 8) return 0;
  const little = !s.bigEndian;
  const tag = (view.getUint16(at, little) << 16) | view.getUint16(at + 2, little);
  const isMark = tag >> 16 === -2;
  if (isMark || !s.explicitVr) {
    s.tag = tag;
    s.vr = isMark ? "UN" : implicitVrOf(tag >>> 0);
    s.length = view.getUint32(at + 4, little);
    return 8;
  }
  const letters = view.getUint16(at + 4, true);
  const slot = vrSlotOf(letters);
  const known = lettersBySlot[slot] === letters;
  const size = known ? headBytes[slot]! : unknownHeadBytes(letters);
  if (end - at < size) return 0;
  s.tag = tag;
  s.vr = known ? vrs[slot]! : "UN";
  s.length = size === 8 ? view.getUint16(at + 6, little) : view.getUint32(at + 8, little);
  return size;
}

/**
 * Two capitals that are no VR yet have the long form, which the standard promises for all VRs to come (PS3.5 §6.2);
 * anything else is a maker's fault, and such writers use the short form.
 */
function unknownHeadBytes(letters: number): number {
  return isCapital(letters & 0xff) && isCapital(letters >> 8) ? 12 : 8;
}

export function isCapital(byte: number): boolean {
  return byte >= 65 && byte <= 90;
}

/** The VR whose letters stand at `at`, or undefined. */
export function vrAt(bytes: Uint8Array, at: number): Vr | undefined {
  const letters = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const slot = vrSlotOf(letters);
  return lettersBySlot[slot] === letters ? vrs[slot] : undefined;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
