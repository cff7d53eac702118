/** Cr and Cb parts of PS3.3 C.7.6.3.1.2 for each byte, rounded together at the end: fixed point with 16 fraction bits. */
const table = (factor: number, middle: number) =>
  Int32Array.from({ length: 256 }, (_, i) => Math.round((i - middle) * factor * 65536));

const redOfCr = table(1.402, 128);
const greenOfCb = table(-0.344136, 128);
const greenOfCr = table(-0.714136, 128);
const blueOfCb = table(1.772, 128);

/** RGB, colour by pixel, from YBR_FULL of 8 bits, colour by pixel (PS3.3 C.7.6.3.1.2). */
export function ybrFullToRgb(ybr: Uint8Array): Uint8Array {
  const out = new Uint8ClampedArray(ybr.length);
  for (let i = 0; i + 2 < ybr.length; i += 3) {
    const y = ((ybr[i] as number) << 16) + 32768;
    const cb = ybr[i + 1] as number;
    const cr = ybr[i + 2] as number;
    out[i] = (y + (redOfCr[cr] as number)) >> 16;
    out[i + 1] = (y + (greenOfCb[cb] as number) + (greenOfCr[cr] as number)) >> 16;
    out[i + 2] = (y + (blueOfCb[cb] as number)) >> 16;
  }
  return new Uint8Array(out.buffer);
}

const lumaPart = table(255 / 219, 16);
const partRedOfCr = table(1.402 * (255 / 224), 128);
const partGreenOfCb = table(-0.344136 * (255 / 224), 128);
const partGreenOfCr = table(-0.714136 * (255 / 224), 128);
const partBlueOfCb = table(1.772 * (255 / 224), 128);

/** RGB from YBR_PARTIAL of 8 bits: luma 16 to 235, chroma 16 to 240 (ITU-R BT.601, PS3.3 C.7.6.3.1.2). */
export function ybrPartialToRgb(ybr: Uint8Array): Uint8Array {
  const out = new Uint8ClampedArray(ybr.length);
  for (let i = 0; i + 2 < ybr.length; i += 3) {
    const y = (lumaPart[ybr[i] as number] as number) + 32768;
    const cb = ybr[i + 1] as number;
    const cr = ybr[i + 2] as number;
    out[i] = (y + (partRedOfCr[cr] as number)) >> 16;
    out[i + 1] = (y + (partGreenOfCb[cb] as number) + (partGreenOfCr[cr] as number)) >> 16;
    out[i + 2] = (y + (partBlueOfCb[cb] as number)) >> 16;
  }
  return new Uint8Array(out.buffer);
}
