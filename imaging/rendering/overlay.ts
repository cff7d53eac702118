import type { Picture } from "./resize.ts";

/** An overlay plane (PS3.3 C.9.2): bits in rows from the top, drawn over the image. */
export interface Overlay {
  rows: number;
  columns: number;
  /** Of its first bit in the image, from 0; may lie outside. */
  top: number;
  left: number;
  bits: OverlayBits;
}

/** Packed, the first bit lowest, from `firstBit` on; or a bit of each stored sample, as images of before 2004 have it. */
export type OverlayBits = { packed: Uint8Array; firstBit: number } | { ofSamples: number };

/** What an overlay reads of the frame that it may be hidden in. */
interface Sampled {
  pixels: Uint8Array;
  bitsAllocated: number;
}

function bitOf(overlay: Overlay, { pixels, bitsAllocated }: Sampled): (index: number) => number {
  const { bits } = overlay;
  if ("packed" in bits) {
    const { packed, firstBit } = bits;
    return (index) => ((packed[(index + firstBit) >> 3] ?? 0) >> ((index + firstBit) & 7)) & 1;
  }
  const at = bits.ofSamples;
  if (bitsAllocated === 8) return (index) => ((pixels[index] ?? 0) >> at) & 1;
  if (bitsAllocated !== 16) return () => 0;
  return (index) => ((((pixels[index * 2 + 1] ?? 0) << 8) | (pixels[index * 2] ?? 0)) >> at) & 1;
}

/** Draws the part of an overlay that lies in the picture, which is still of the image's size, as bright as can be. */
export function drawOverlay(picture: Picture, overlay: Overlay, frame: Sampled): void {
  const bit = bitOf(overlay, frame);
  const { width, height, channels, pixels } = picture;
  const from = Math.max(0, -overlay.left);
  const to = Math.min(overlay.columns, width - overlay.left);
  for (let row = Math.max(0, -overlay.top); row < overlay.rows && row + overlay.top < height; row++) {
    for (let column = from; column < to; column++) {
      if (bit(row * overlay.columns + column) === 0) continue;
      const at = ((row + overlay.top) * width + column + overlay.left) * channels;
      pixels.fill(255, at, at + channels);
    }
  }
}
