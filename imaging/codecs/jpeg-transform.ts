/** Natural place of the k-th coefficient in zigzag order (T.81 Figure A.6). */
export const zigzag = Uint8Array.of(
  ...[
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28,
  ],
  ...[
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
    55,
  ],
  ...[62, 63],
);

/** basis[x * 8 + u] = C(u) / 2 · cos((2x + 1) u π / 16), the one-dimensional part of T.81 A.3.3. */
const basis = Float64Array.from({ length: 64 }, (_, i) => {
  const u = i & 7;
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * (i >> 3) + 1) * u * Math.PI) / 16);
});

/** Samples of a plane of 8 by 8 blocks, `stride` blocks a row: dequantized, transformed back, shifted and clamped. */
export function inverseTransform(
  coefficients: Int16Array,
  steps: Uint16Array,
  stride: number,
  precision: number,
): Uint16Array {
  const out = new Uint16Array(coefficients.length);
  const most = (1 << precision) - 1;
  const middle = 1 << (precision - 1);
  const half = new Float64Array(64);
  const width = stride * 8;
  for (let block = 0, at = 0; at < coefficients.length; block++, at += 64) {
    const column = block % stride;
    const origin = ((block - column) / stride) * 8 * width + column * 8;
    for (let v = 0; v < 8; v++) {
      for (let x = 0; x < 8; x++) {
        let sum = 0;
        for (let u = 0; u < 8; u++) {
          const k = v * 8 + u;
          sum += (coefficients[at + k] as number) * (steps[k] as number) * (basis[x * 8 + u] as number);
        }
        half[v * 8 + x] = sum;
      }
    }
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        let sum = middle;
        for (let v = 0; v < 8; v++) sum += (half[v * 8 + x] as number) * (basis[y * 8 + v] as number);
        const value = Math.round(sum);
        out[origin + y * width + x] = value < 0 ? 0 : Math.min(value, most);
      }
    }
  }
  return out;
}
