/*
 * The minimal lower layer protocol (HL7 v2.8 Appendix C, MLLP release 1): a message between <VT> and <FS><CR>. The end is taken at <FS>,
 * which stands in no text: what some senders leave out or put behind it is nothing between two frames.
 */

const startBlock = 0x0b;
const endBlock = 0x1c;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** What the bytes of a connection turned out to hold. */
export type Framed =
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  /** More than a frame may be; what was there of it. The rest is not read. */
  | { readonly kind: "too-large"; readonly bytes: Uint8Array }
  /** Bytes outside of a frame. */
  | { readonly kind: "noise" }
  /** A frame that was not ended before the next one began: its sender gave it up. */
  | { readonly kind: "abandoned" };

export interface FrameReader {
  /** Takes the next bytes. */
  push(bytes: Uint8Array): void;
  /** What comes next of all that was pushed; undefined: nothing that is whole. */
  next(): Framed | undefined;
  /** Whether a frame has begun and not ended. */
  readonly isWithin: boolean;
}

const firstBytes = 4_096;

/** What a frame holds is at most so much; no more than twice that is ever kept of one. */
export function createFrameReader(bytesMax: number): FrameReader {
  /** Not looked at yet. */
  const waiting: Uint8Array[] = [];
  let isWithin = false;
  let held = new Uint8Array(0);
  let size = 0;

  const keep = (bytes: Uint8Array): void => {
    const needed = size + bytes.length;
    if (needed > held.length) {
      // By doubling: however small the pieces are that it comes in.
      const larger = new Uint8Array(Math.max(firstBytes, needed, Math.min(2 * held.length, bytesMax)));
      larger.set(held.subarray(0, size));
      held = larger;
    }
    held.set(bytes, size);
    size = needed;
  };
  const taken = (): Uint8Array => {
    const bytes = held.subarray(0, size);
    held = new Uint8Array(0);
    size = 0;
    isWithin = false;
    return bytes;
  };
  /** Outside of a frame: to where the next one begins. */
  const begin = (bytes: Uint8Array): Framed | undefined => {
    const at = bytes.indexOf(startBlock);
    if (at >= 0) {
      isWithin = true;
      waiting.unshift(bytes.subarray(at + 1));
    }
    return (at < 0 ? bytes : bytes.subarray(0, at)).every(isBetween) ? undefined : { kind: "noise" };
  };
  /** Within one: to where it ends. */
  const go = (bytes: Uint8Array): Framed | undefined => {
    const ends = bytes.indexOf(endBlock);
    const more = ends < 0 ? bytes : bytes.subarray(0, ends);
    const again = more.lastIndexOf(startBlock);
    if (again >= 0) {
      taken();
      isWithin = true;
      waiting.unshift(bytes.subarray(again + 1));
      return { kind: "abandoned" };
    }
    if (size + more.length > bytesMax) return { kind: "too-large", bytes: taken() };
    keep(more);
    if (ends < 0) return undefined;
    waiting.unshift(bytes.subarray(ends + 1));
    return { kind: "frame", bytes: taken() };
  };

  return {
    push: (bytes) => void waiting.push(bytes),
    next() {
      for (let bytes = waiting.shift(); bytes !== undefined; bytes = waiting.shift()) {
        if (bytes.length === 0) continue;
        const framed = isWithin ? go(bytes) : begin(bytes);
        if (framed !== undefined) return framed;
      }
      return undefined;
    },
    get isWithin() {
      return isWithin;
    },
  };
}

const isBetween = (byte: number) => byte === endBlock || byte === carriageReturn || byte === lineFeed;

/** The bytes of a message, ready to be sent. */
export function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(startBlock), message, Uint8Array.of(endBlock, carriageReturn)]);
}
