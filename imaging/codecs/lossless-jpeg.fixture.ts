/** A small JPEG Lossless encoder (T.81 Annex H), so that every predictor, precision and restart can be tested. */
export interface LosslessPicture {
  rows: number;
  columns: number;
  components: number;
  precision: number;
  predictor: number;
  pointTransform: number;
  /** Rows between restart markers; 0 for none. */
  restartRows: number;
  /** A scan for each component instead of one for all. */
  apart: boolean;
}

function bitWriter(out: number[]) {
  let held = 0;
  let count = 0;
  const push = (byte: number) => {
    out.push(byte);
    if (byte === 0xff) out.push(0);
  };
  return {
    write(value: number, bits: number) {
      for (let i = bits - 1; i >= 0; i--) {
        held = (held << 1) | ((value >> i) & 1);
        if (++count === 8) {
          push(held);
          held = 0;
          count = 0;
        }
      }
    },
    flush() {
      while (count !== 0) this.write(1, 1);
    },
  };
}

function predicted(
  p: LosslessPicture,
  at: (x: number, y: number) => number,
  x: number,
  y: number,
  firstRow: number,
): number {
  if (y === firstRow) return x === 0 ? 1 << (p.precision - p.pointTransform - 1) : at(x - 1, y);
  if (x === 0) return at(x, y - 1);
  const [a, b, c] = [at(x - 1, y), at(x, y - 1), at(x - 1, y - 1)];
  return [a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][p.predictor - 1] as number;
}

/** Code lengths 2 to 16 for categories 0 to 16: long codes are used too. */
const categoryCounts = [0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2];

function codes(): { code: number; length: number }[] {
  const out: { code: number; length: number }[] = [];
  let code = 0;
  categoryCounts.forEach((count, i) => {
    for (let k = 0; k < count; k++) out.push({ code: code++, length: i + 1 });
    code <<= 1;
  });
  return out;
}

function writeScan(out: number[], p: LosslessPicture, samples: ArrayLike<number>, parts: number[]): void {
  const table = codes();
  out.push(
    0xff,
    0xda,
    0,
    6 + 2 * parts.length,
    parts.length,
    ...parts.flatMap((c) => [c + 1, 0]),
    p.predictor,
    0,
    p.pointTransform,
  );
  let writer = bitWriter(out);
  let firstRow = 0;
  for (let y = 0; y < p.rows; y++) {
    if (p.restartRows > 0 && y > 0 && y % p.restartRows === 0) {
      writer.flush();
      out.push(0xff, 0xd0 + ((y / p.restartRows - 1) & 7));
      writer = bitWriter(out);
      firstRow = y;
    }
    for (let x = 0; x < p.columns; x++) {
      for (const c of parts) {
        const at = (i: number, j: number) =>
          (samples[(j * p.columns + i) * p.components + c] as number) >> p.pointTransform;
        let difference = (at(x, y) - predicted(p, at, x, y, firstRow)) & 0xffff;
        if (difference > 32768) difference -= 65536;
        const category = difference === 0 ? 0 : 32 - Math.clz32(Math.abs(difference));
        const { code, length } = table[category] as { code: number; length: number };
        writer.write(code, length);
        if (category > 0 && category < 16) writer.write(difference < 0 ? difference - 1 : difference, category);
      }
    }
  }
  writer.flush();
}

export function encodeLosslessJpeg(p: LosslessPicture, samples: ArrayLike<number>): Uint8Array {
  const word = (value: number) => [value >> 8, value & 0xff];
  const all = Array.from({ length: p.components }, (_, c) => c);
  const out = [0xff, 0xd8, 0xff, 0xc3, ...word(8 + 3 * p.components), p.precision, ...word(p.rows), ...word(p.columns)];
  out.push(p.components, ...all.flatMap((c) => [c + 1, 0x11, 0]));
  out.push(0xff, 0xc4, ...word(19 + 17), 0, ...categoryCounts, ...Array.from({ length: 17 }, (_, i) => i));
  if (p.restartRows > 0) out.push(0xff, 0xdd, 0, 4, ...word(p.restartRows * p.columns));
  for (const parts of p.apart ? all.map((c) => [c]) : [all]) writeScan(out, p, samples, parts);
  out.push(0xff, 0xd9);
  return Uint8Array.from(out);
}
