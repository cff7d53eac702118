/** Frames of single bits one after the other without a gap, the first pixel in the lowest bit (PS3.5 §8.1.1). */
export interface BitPacker {
  /** The whole bytes that a frame of one byte a pixel fills; what is left begins the next. */
  push(pixels: Uint8Array): Uint8Array;
  /** The last bits, if any. */
  rest(): Uint8Array;
  /** Bytes given. */
  size(): number;
}

export function createBitPacker(): BitPacker {
  let held = 0;
  let count = 0;
  let size = 0;
  return {
    push(pixels) {
      const out = new Uint8Array((count + pixels.length) >> 3);
      let at = 0;
      for (const pixel of pixels) {
        if (pixel !== 0) held |= 1 << count;
        if (++count < 8) continue;
        out[at++] = held;
        held = 0;
        count = 0;
      }
      size += at;
      return out;
    },
    rest() {
      const out = count === 0 ? new Uint8Array(0) : Uint8Array.of(held);
      size += out.length;
      return out;
    },
    size: () => size,
  };
}
