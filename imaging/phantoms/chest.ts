import { makeField, makeNoiseTile, seededChance, step } from "./noise.ts";

/** How much a chest dims the beam at a place, in the patient's mm: x to the left, y down from the shoulders. */
function densityAt(x: number, y: number, field: (x: number, y: number, z: number) => number): number {
  const from = Math.abs(x);
  const trunk =
    step(1.02, 0.86, Math.hypot(x / 178, (y - 215) / 300)) * 0.62 + 0.1 * step(60, 150, y) * step(175, 120, from);
  const shoulder = 0.34 * step(1.1, 0.55, Math.hypot((from - 148) / 84, (y - 50) / 58));
  const neck = 0.42 * step(62, 46, from) * step(46, 10, y);
  const apexY = 52 + 0.0028 * (from - 70) ** 2;
  const dome = x < 0 ? 290 - 26 * Math.cos((from - 78) / 58) : 302 - 24 * Math.cos((from - 86) / 58);
  const lungEdge = Math.hypot((from - 76) / (70 - 0.05 * Math.max(0, 170 - y)), (y - 205) / 172);
  const lung =
    step(1.02, 0.93, lungEdge) * step(apexY - 6, apexY + 8, y) * step(dome + 3, dome - 5, y) * step(16, 28, from);
  const vessels =
    0.05 * Math.abs(field(x / 16, y / 16, 2)) * step(120, 10, from) +
    0.09 * step(26, 6, Math.hypot((from - 38) / 1.1, (y - 168) / 1.8));
  const left = Math.hypot((x - 30 - (y - 235) * 0.28) / 58, (y - 238) / 62);
  const right = Math.hypot((x + 8) / 36, (y - 232) / 58);
  const heart = 0.34 * step(1.06, 0.9, Math.min(left, right));
  const vessel =
    0.17 *
    Math.max(
      step(32, 24, Math.abs(x - 4)) * step(80, 104, y) * step(240, 190, y),
      step(1.08, 0.85, Math.hypot((x - 25) / 19, (y - 128) / 22)),
    );
  const windpipe = -0.1 * step(9, 6.5, Math.abs(x + 2)) * step(150, 140, y);
  const spine = 0.13 * step(21, 16, from) * (1 + 0.35 * Math.cos(y / 3.6));
  return trunk + shoulder + neck - lung * 0.47 + lung * vessels + heart + vessel + windpipe + spine + bones(from, y);
}

/** Ribs, behind and in front, and the collar bones. */
function bones(from: number, y: number): number {
  let sum = 0;
  for (let rib = 0; rib < 10; rib++) {
    const hang = 66 + rib * 25;
    const half = 5.4;
    const wide = 62 + 82 * Math.sin(Math.min(1, (rib + 2) / 7) * 1.5);
    if (from > wide || from < 14) continue;
    const behind = Math.abs(y - (hang - 16 * Math.sin((from / wide) * 2.4) + 0.0016 * from * from));
    sum += 0.075 * step(half + 1, half - 1.5, behind) * (0.75 + 0.25 * step(half - 3.4, half - 1, behind));
    if (from < 50 || rib > 6) continue;
    const before = Math.abs(y - (hang + 26 + (wide - from) * 0.62));
    sum += 0.05 * step(half + 2, half - 1, before);
  }
  const collar = Math.abs(y - (68 - (from - 20) * 0.2 - 7 * Math.sin(from / 26)));
  return sum + 0.12 * step(6.5, 4, collar) * step(14, 20, from) * step(140, 130, from);
}

/** A chest radiograph, front view, 12 bits in 16, dense parts bright, `size` squared. */
export function chestRadiograph(options: { size: number; seed: number }): { spacingMm: number; pixels: Uint8Array } {
  const { size } = options;
  const chance = seededChance(options.seed);
  const field = makeField(chance);
  const noise = makeNoiseTile(chance);
  const spacingMm = 400 / size;
  const out = new Uint16Array(size * size);
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++, at++) {
      const density = densityAt((column - size / 2) * spacingMm, row * spacingMm, field);
      const value =
        420 +
        2700 * (1 - Math.exp(-1.25 * Math.max(0, density))) +
        (noise.values[at & (noise.values.length - 1)] as number) * 14;
      out[at] = Math.max(0, Math.min(4095, value));
    }
  }
  return { spacingMm, pixels: new Uint8Array(out.buffer) };
}
