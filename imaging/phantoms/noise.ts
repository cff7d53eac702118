/** Numbers from 0 to 1, the same for the same seed (mulberry32). For pictures only. */
export type Chance = () => number;

export function seededChance(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const tileSide = 512;
const tileMask = tileSide - 1;

/** Noise as a reconstructed image has it: neighbours are alike. 512 by 512, wraps round, standard deviation 1. */
export interface NoiseTile {
  side: number;
  values: Float32Array;
}

/** One pass of a 1-2-1 filter over a tile that wraps round, along `step` 1 (rows) or the side (columns). */
function smoothTile(values: Float32Array, along: "x" | "y"): Float32Array {
  const out = new Float32Array(values.length);
  for (let y = 0; y < tileSide; y++) {
    for (let x = 0; x < tileSide; x++) {
      const at = y * tileSide + x;
      const before = along === "x" ? y * tileSide + ((x - 1) & tileMask) : ((y - 1) & tileMask) * tileSide + x;
      const after = along === "x" ? y * tileSide + ((x + 1) & tileMask) : ((y + 1) & tileMask) * tileSide + x;
      out[at] = ((values[before] as number) + 2 * (values[at] as number) + (values[after] as number)) / 4;
    }
  }
  return out;
}

export function makeNoiseTile(chance: Chance): NoiseTile {
  let values = new Float32Array(tileSide * tileSide);
  for (let i = 0; i < values.length; i++) values[i] = chance() + chance() + chance() - 1.5;
  values = smoothTile(smoothTile(values, "x"), "y") as Float32Array<ArrayBuffer>;
  let squares = 0;
  for (const value of values) squares += value * value;
  const scale = 1 / Math.sqrt(squares / values.length);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * scale;
  return { side: tileSide, values };
}

const latticeSide = 32;
const latticeMask = latticeSide - 1;

/** A smooth random field in space, about -1 to 1, one bump per unit. Repeats after 32 units. */
export type Field = (x: number, y: number, z: number) => number;

const ease = (t: number) => t * t * (3 - 2 * t);

export function makeField(chance: Chance): Field {
  const lattice = Float32Array.from({ length: latticeSide ** 3 }, () => chance() * 2 - 1);
  const corner = (x: number, y: number, z: number) =>
    lattice[(((z & latticeMask) * latticeSide + (y & latticeMask)) * latticeSide + (x & latticeMask)) | 0] as number;
  return (x, y, z) => {
    const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    const [u, v, w] = [ease(x - i), ease(y - j), ease(z - k)];
    const near = mix(
      mix(corner(i, j, k), corner(i + 1, j, k), u),
      mix(corner(i, j + 1, k), corner(i + 1, j + 1, k), u),
      v,
    );
    const far = mix(
      mix(corner(i, j, k + 1), corner(i + 1, j, k + 1), u),
      mix(corner(i, j + 1, k + 1), corner(i + 1, j + 1, k + 1), u),
      v,
    );
    return mix(near, far, w);
  };
}

export const mix = (a: number, b: number, share: number): number => a + (b - a) * share;

/** 0 below `from`, 1 above `to`, smooth between. */
export function step(from: number, to: number, x: number): number {
  const t = (x - from) / (to - from);
  return t <= 0 ? 0 : t >= 1 ? 1 : ease(t);
}
