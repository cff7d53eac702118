import { Problem } from "#base/problem";
import { implicitVrOf } from "./dictionary.ts";
import { type HeadState, isCapital, parseHead, undefinedLength, viewOf, vrAt } from "./element-head.ts";
import { formatTag, Tag } from "./tags.ts";
import { encodingOf, TransferSyntaxUid } from "./transfer-syntaxes.ts";
import type { Vr } from "./vr.ts";

/** An element of the file meta information (group 0002), its offset from the beginning of the file. */
export interface MetaElement {
  readonly tag: number;
  readonly vr: Vr;
  readonly offset: number;
  readonly length: number;
}

/** What comes before the data set of a file: preamble, prefix, file meta information (PS3.10 §7.1), each if there. */
export interface FileStart {
  /** 128 when a preamble is there and holds something, else 0. */
  readonly preambleBytes: number;
  readonly elements: readonly MetaElement[];
  /** From the file meta information; where it is missing, what the first bytes of the data set look like. */
  readonly transferSyntaxUid: string;
  readonly dataSetOffset: number;
}

/** More than any writer puts there; what is larger is not file meta information. */
const fileStartBytesMax = 1024 * 1024;
/** PS3.10 §7.1 knows 21, and writers add few. */
const metaElementsMax = 256;
const prefixOffset = 128;
const dicm = [0x44, 0x49, 0x43, 0x4d];

/**
 * Reads the beginning of a file. Returns the number of bytes it must see to go on when `bytes` are too few and more
 * may come (`last` is false). The group length is not trusted: the group ends where another group begins.
 */
export function readFileStart(bytes: Uint8Array, last: boolean): FileStart | number {
  if (bytes.length < prefixOffset + 12 && !last) return prefixOffset + 12;
  let at = metaOffset(bytes);
  const preambleBytes = at > prefixOffset ? preambleIn(bytes) : 0;
  const head: HeadState = { explicitVr: true, bigEndian: false, tag: 0, vr: "UN", length: 0 };
  const view = viewOf(bytes);
  const elements: MetaElement[] = [];
  let uid: string | undefined;
  for (;;) {
    if (bytes.length < at + 12 && !last) return at + 12;
    if (bytes[at] !== 0x02 || bytes[at + 1] !== 0x00) break;
    head.explicitVr = vrAt(bytes, at + 4) !== undefined; // some writers put the meta information in implicit VR
    const size = parseHead(head, view, at, bytes.length);
    if (size === 0) throw cut(at);
    const offset = at + size;
    if (head.length === undefinedLength) throw cut(at);
    if (offset + head.length > fileStartBytesMax) {
      const what = `${formatTag(head.tag >>> 0)} at byte ${at} makes the file meta information larger than ${fileStartBytesMax}`;
      throw new Problem("too-large", `${what} bytes`);
    }
    if (offset + head.length > bytes.length) {
      if (last) throw cut(at);
      return offset + head.length + 12;
    }
    if (elements.length === metaElementsMax) {
      throw new Problem("too-large", `more than ${metaElementsMax} elements in the file meta information`);
    }
    // The second could say another transfer syntax than a reader before us believed.
    if (elements.some(({ tag }) => tag === head.tag >>> 0)) {
      throw new Problem("invalid", `${formatTag(head.tag >>> 0)} stands twice in the file meta information`);
    }
    elements.push({ tag: head.tag >>> 0, vr: head.vr, offset, length: head.length });
    if (head.tag === Tag.TransferSyntaxUID) uid = asciiOf(bytes, offset, head.length);
    at = offset + head.length;
  }
  if (at === 0 && !beginsDataSet(bytes)) {
    throw new Problem(
      "invalid",
      "neither a DICOM file nor a data set: no prefix DICM, and no known element at the start",
    );
  }
  return { preambleBytes, elements, transferSyntaxUid: uid || guessTransferSyntax(bytes, at), dataSetOffset: at };
}

/** Bare data sets begin with an element of the standard; an empty input is an empty data set. */
function beginsDataSet(bytes: Uint8Array): boolean {
  if (bytes.length < 8 || vrAt(bytes, 4) !== undefined) return true;
  const tag = ((bytes[1]! << 24) | (bytes[0]! << 16) | (bytes[3]! << 8) | bytes[2]!) >>> 0;
  return tag >= 0x00040000 && implicitVrOf(tag) !== "UN";
}

/** A loop and not `some`, which would take a sixth of the time that a whole header takes. */
function preambleIn(bytes: Uint8Array): number {
  for (let i = 0; i < prefixOffset; i += 1) if (bytes[i] !== 0) return prefixOffset;
  return 0;
}

/** Behind the prefix; some files lack the preamble, some both, and in some the text DICM stands there by chance. */
function metaOffset(bytes: Uint8Array): number {
  const isPrefix = (at: number) => dicm.every((byte, i) => bytes[at + i] === byte);
  const behind = prefixOffset + 4;
  if (isPrefix(prefixOffset)) {
    const isMeta = bytes[behind] === 0x02 && bytes[behind + 1] === 0x00;
    return isMeta || vrAt(bytes, 4) === undefined ? behind : 0;
  }
  return isPrefix(0) ? 4 : 0;
}

function cut(at: number): Problem {
  return new Problem("invalid", `the file ends inside the file meta information, at byte ${at}`);
}

/** One character more than a UID may have is enough to see that it is none. */
function asciiOf(bytes: Uint8Array, offset: number, length: number): string {
  let text = "";
  for (let i = offset; i < offset + Math.min(length, 65); i += 1) {
    const byte = bytes[i]!;
    if (byte > 0x20) text += String.fromCharCode(byte);
  }
  return text;
}

/** By the letters of a VR and by which byte order gives the smaller group, since data sets begin with low groups. */
function guessTransferSyntax(bytes: Uint8Array, at: number): string {
  const little = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const big = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (vrAt(bytes, at + 4) === undefined) return TransferSyntaxUid.implicitLittleEndian;
  return big < little ? TransferSyntaxUid.explicitBigEndian : TransferSyntaxUid.explicitLittleEndian;
}

export interface Encoding {
  explicitVr: boolean;
  bigEndian: boolean;
}

/**
 * How the data set is written: as its transfer syntax says, unless its first element plainly shows the other kind of
 * VR. Such files exist (an implicit data set in a file labelled JPEG), and every later head proves the first right.
 */
export function encodingFound(transferSyntaxUid: string, bytes: Uint8Array, at: number): Encoding {
  const { explicitVr, bigEndian } = encodingOf(transferSyntaxUid);
  if (bytes.length < at + 8) return { explicitVr, bigEndian };
  const tag = bigEndian
    ? ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    : ((bytes[at + 1]! << 24) | (bytes[at]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 2]!) >>> 0;
  const expected = implicitVrOf(tag);
  if (explicitVr && !isCapital(bytes[at + 4]!) && !isCapital(bytes[at + 5]!) && expected !== "UN") {
    const length = bigEndian ? bytes[at + 4]! | bytes[at + 5]! : bytes[at + 6]! | bytes[at + 7]!;
    if (length === 0) return { explicitVr: false, bigEndian };
  }
  if (!explicitVr && vrAt(bytes, at + 4) === expected) return { explicitVr: true, bigEndian };
  return { explicitVr, bigEndian };
}
