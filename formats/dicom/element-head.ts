import { implicitVrOf } from "./dictionary.ts";
import { lengthFormByLetters, type Vr, vrByLetters } from "./vr.ts";

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

/**
 * Reads the head of an element, item or delimiter at `at` into `s` (PS3.5 §7.1.2, §7.1.3, §7.5.1).
 *
 * @returns the size of the head, or 0 when `bytes` ends before it does.
 */
export function parseHead(s: HeadState, bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 8) return 0;
  if (s.bigEndian) return parseBigEndianHead(s, bytes, at, end);
  const tag = (bytes[at + 1]! << 24) | (bytes[at]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 2]!;
  if (!s.explicitVr || tag >> 16 === -2) {
    s.length = ((bytes[at + 7]! << 24) | (bytes[at + 6]! << 16) | (bytes[at + 5]! << 8) | bytes[at + 4]!) >>> 0;
    s.vr = tag >> 16 === -2 ? "UN" : implicitVrOf(tag >>> 0);
    s.tag = tag;
    return 8;
  }
  const first = bytes[at + 4]! - 65;
  const second = bytes[at + 5]! - 65;
  const letters = first * 32 + second;
  const form = letterForm(first, second);
  if (form === 1) {
    s.length = (bytes[at + 7]! << 8) | bytes[at + 6]!;
  } else {
    if (end - at < 12) return 0;
    s.length = ((bytes[at + 11]! << 24) | (bytes[at + 10]! << 16) | (bytes[at + 9]! << 8) | bytes[at + 8]!) >>> 0;
  }
  s.tag = tag;
  s.vr = (first <= 25 && second <= 25 && vrByLetters[letters]) || "UN";
  return form === 1 ? 8 : 12;
}

function parseBigEndianHead(s: HeadState, bytes: Uint8Array, at: number, end: number): number {
  const tag = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const wide = (from: number) =>
    ((bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!) >>> 0;
  if (!s.explicitVr || tag >> 16 === -2) {
    s.tag = tag;
    s.length = wide(at + 4);
    s.vr = tag >> 16 === -2 ? "UN" : implicitVrOf(tag >>> 0);
    return 8;
  }
  const first = bytes[at + 4]! - 65;
  const second = bytes[at + 5]! - 65;
  const form = letterForm(first, second);
  if (form !== 1 && end - at < 12) return 0;
  s.tag = tag;
  s.length = form === 1 ? (bytes[at + 6]! << 8) | bytes[at + 7]! : wide(at + 8);
  s.vr = (first <= 25 && second <= 25 && vrByLetters[first * 32 + second]) || "UN";
  return form === 1 ? 8 : 12;
}

/**
 * 1 for a 16-bit length, 2 for a 32-bit one. Two capitals that are no VR yet have the long form, which the standard
 * promises for all VRs to come (PS3.5 §6.2); anything else is a maker's fault and such writers use the short form.
 */
function letterForm(first: number, second: number): number {
  if (first < 0 || first > 25 || second < 0 || second > 25) return 1;
  return lengthFormByLetters[first * 32 + second] || 2;
}

/** Whether the two bytes at `at` are the letters of a VR of the standard. */
export function isVrAt(bytes: Uint8Array, at: number): boolean {
  const first = (bytes[at] ?? 0) - 65;
  const second = (bytes[at + 1] ?? 0) - 65;
  return first >= 0 && first <= 25 && second >= 0 && second <= 25 && lengthFormByLetters[first * 32 + second] !== 0;
}

/** The letters of a VR of the standard at `at`, or undefined. */
export function vrAt(bytes: Uint8Array, at: number): Vr | undefined {
  return isVrAt(bytes, at) ? vrByLetters[(bytes[at]! - 65) * 32 + bytes[at + 1]! - 65] : undefined;
}
