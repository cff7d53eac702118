import { createHeadPainter, headReachMm } from "./head.ts";
import type { Tissues } from "./head-solids.ts";
import type { NoiseTile } from "./noise.ts";
import { makeNoiseTile, seededChance } from "./noise.ts";
import { doubled } from "./plane.ts";

/** Hounsfield units as a scan at 120 kV shows them. */
const ctTissues: Tissues = {
  air: -1000,
  skin: 30,
  fat: -85,
  muscle: 58,
  compactBone: 1350,
  spongyBone: 520,
  liquor: 6,
  grey: 38,
  white: 28,
  nuclei: 37,
  cerebellum: 35,
  blood: 52,
  calcification: 320,
  vitreous: 8,
  lens: 80,
  holder: -240,
  foam: -965,
};

/** Brightness in a T1 weighted gradient echo: fat and white matter bright, liquor and compact bone dark. */
const mrTissues: Tissues = {
  air: 6,
  skin: 520,
  fat: 1150,
  muscle: 380,
  compactBone: 40,
  spongyBone: 640,
  liquor: 130,
  grey: 470,
  white: 700,
  nuclei: 530,
  cerebellum: 510,
  blood: 260,
  calcification: 60,
  vitreous: 150,
  lens: 300,
  holder: 6,
  foam: 6,
};

export interface SliceSeries {
  columns: number;
  rows: number;
  spacingMm: number;
  /** Heights of the slices in mm, from the feet up. */
  heightsMm: number[];
  /** The samples of one slice, 12 bits in 16, little endian; a fresh array each time. */
  slice(index: number): Uint8Array;
}

/** Stored value of air in the CT series: stored = Hounsfield units + 1024. */
export const ctIntercept = -1024;

function heights(count: number, stepMm: number): number[] {
  const middle = (headReachMm.bottom + headReachMm.top) / 2;
  return Array.from({ length: count }, (_, i) => Math.round((middle + (i - (count - 1) / 2) * stepMm) * 1000) / 1000);
}

function store(values: Float32Array, noise: NoiseTile, shift: number, amount: number, offset: number): Uint8Array {
  const out = new Uint16Array(values.length);
  const wrap = noise.values.length - 1;
  for (let i = 0; i < out.length; i++) {
    const value = (values[i] as number) + (noise.values[(i + shift) & wrap] as number) * amount + offset + 0.5;
    out[i] = value <= 0 ? 0 : Math.min(4095, value);
  }
  return new Uint8Array(out.buffer);
}

/** CT of a head: `size` squared (even), slices `stepMm` apart, Hounsfield units + 1024. */
export function ctHeadSeries(options: { slices: number; size: number; seed: number; stepMm?: number }): SliceSeries {
  const { slices, size, seed } = options;
  const chance = seededChance(seed ^ 0x5eed);
  const spacingMm = 230 / size;
  const shape = { tissues: ctTissues, ventricles: 0.85 + chance() * 0.45, calcified: true };
  const painter = createHeadPainter(shape, size / 2, spacingMm * 2, seed);
  const noise = makeNoiseTile(chance);
  const heightsMm = heights(slices, options.stepMm ?? 1.25);
  const full = new Float32Array(size * size);
  return {
    columns: size,
    rows: size,
    spacingMm,
    heightsMm,
    slice(index) {
      doubled(painter.paint(heightsMm[index] as number), full);
      return store(full, noise, (index * 7919 * 31) >>> 0, 4.2, -ctIntercept);
    },
  };
}

/** T1 weighted MR of the same anatomy, with the slow change of brightness that a coil leaves. */
export function mrBrainSeries(options: { slices: number; size: number; seed: number; stepMm?: number }): SliceSeries {
  const { slices, size, seed } = options;
  const chance = seededChance(seed ^ 0x3a9e);
  const spacingMm = 240 / size;
  const shape = { tissues: mrTissues, ventricles: 0.85 + chance() * 0.45, calcified: false };
  const painter = createHeadPainter(shape, size / 2, spacingMm * 2, seed);
  const noise = makeNoiseTile(chance);
  const heightsMm = heights(slices, options.stepMm ?? 5);
  const full = new Float32Array(size * size);
  const [biasX, biasY] = [chance() - 0.5, chance() - 0.5];
  return {
    columns: size,
    rows: size,
    spacingMm,
    heightsMm,
    slice(index) {
      doubled(painter.paint(heightsMm[index] as number), full);
      for (let i = 0; i < full.length; i++) {
        const x = (i % size) / size - 0.5;
        const y = Math.floor(i / size) / size - 0.5;
        const coil = 1 + 0.28 * (biasX * x + biasY * y) + 0.5 * (x * x + y * y);
        // The noise of a magnitude image is never below zero.
        const grain = (noise.values[(i + index * 104729) & (noise.values.length - 1)] as number) * 11;
        full[i] = Math.abs((full[i] as number) * coil + grain);
      }
      return store(full, noise, 0, 0, 0);
    },
  };
}
