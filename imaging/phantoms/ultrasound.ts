import { makeField, makeNoiseTile, mix, seededChance, step } from "./noise.ts";

const apex = { x: 320, y: 30 };
const depth = { from: 34, to: 425 };
const halfAngle = 0.66;

/** A colour Doppler cine: a sector with speckle, two vessels, and flow that beats. RGB by pixel. */
export interface ColourCine {
  columns: number;
  rows: number;
  frames: number;
  frameMs: number;
  frame(index: number): Uint8Array;
}

/** Red towards the probe, blue away, lighter when faster. */
function flowColour(speed: number): [number, number, number] {
  const fast = Math.min(1, Math.abs(speed));
  const light = Math.max(0, fast * 2 - 1) * 220;
  return speed > 0 ? [90 + 165 * fast, light, light * 0.2] : [light * 0.2, light, 90 + 165 * fast];
}

/** Signed flow at a place, 0 where no vessel is. `beat` runs from 0 to 1 through a heartbeat. */
function flowAt(x: number, y: number, beat: number): number {
  const pulse = 0.35 + 0.65 * Math.exp(-(((beat - 0.2) / 0.16) ** 2));
  const artery = Math.abs(y - 225 - 16 * Math.sin(x / 74)) / (17 + 2 * pulse);
  const vein = Math.abs(y - 275 - 12 * Math.sin(x / 88 + 1)) / 21;
  if (x < 205 || x > 425) return 0;
  if (artery < 1) return (1 - artery * artery) * pulse;
  return vein < 1 ? -(1 - vein * vein) * 0.5 : 0;
}

export function ultrasoundCine(options: { frames: number; seed: number }): ColourCine {
  const [columns, rows] = [640, 480];
  const chance = seededChance(options.seed);
  const field = makeField(chance);
  const speckle = [makeNoiseTile(chance), makeNoiseTile(chance)];
  const tissue = (x: number, y: number, near: number) => {
    const artery = Math.abs(y - 225 - 16 * Math.sin(x / 74)) / 21;
    const vein = Math.abs(y - 275 - 12 * Math.sin(x / 88 + 1)) / 23;
    const layers = 0.22 * Math.max(0, Math.sin(y / 9 + field(x / 60, y / 60, 0) * 2)) * step(150, 60, y);
    const base = 0.34 + 0.22 * field(x / 55, y / 38, 3) + layers + 0.28 * step(0.05, 0, Math.abs(near - 0.84));
    const wall = 0.5 * Math.max(step(0.22, 0, Math.abs(artery - 1)), step(0.2, 0, Math.abs(vein - 1)));
    return Math.max(0, mix(base + wall, 0.04, step(1, 0.86, Math.min(artery, vein))));
  };
  return {
    columns,
    rows,
    frames: options.frames,
    frameMs: 40,
    frame(index) {
      const out = new Uint8Array(columns * rows * 3);
      const beat = ((index * 40) % 880) / 880;
      const move = Math.floor(index * 5);
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          const [dx, dy] = [x - apex.x, y - apex.y];
          const radius = Math.hypot(dx, dy);
          const angle = Math.atan2(dx, dy);
          const at = (y * columns + x) * 3;
          if (radius < depth.from || radius > depth.to || Math.abs(angle) > halfAngle) continue;
          // Speckle is finer along the beam than across, and coarser the deeper.
          const across = Math.round((angle + 1) * 150) & 511;
          const along = Math.round(radius * 1.1) & 511;
          const cell = (along * 512 + across + move * 3) & 0x3ffff;
          const [a, b] = speckle.map((tile) => tile.values[cell] as number) as [number, number];
          const envelope = Math.hypot(a, b) * 0.72;
          const near = (radius - depth.from) / (depth.to - depth.from);
          const light = tissue(x, y, near) * envelope * (1.12 - 0.45 * near);
          const gray = Math.min(255, 255 * light ** 0.72);
          const flow = flowAt(x + 4 * Math.sin(beat * 6.28), y, beat) + 0.12 * a;
          const coloured = flowAt(x, y, beat) !== 0 && Math.abs(flow) > 0.1;
          const [red, green, blue] = coloured ? flowColour(flow) : [gray, gray, gray];
          out[at] = red;
          out[at + 1] = green;
          out[at + 2] = blue;
        }
      }
      paintBars(out, columns);
      return out;
    },
  };
}

/** The scales beside the picture: grays on the left, flow on the right. */
function paintBars(out: Uint8Array, columns: number): void {
  for (let y = 40; y < 200; y++) {
    const share = 1 - (y - 40) / 159;
    for (let x = 0; x < 14; x++) {
      const left = (y * columns + 24 + x) * 3;
      out.fill(Math.round(share * 255), left, left + 3);
      out.set(flowColour(share * 2 - 1), (y * columns + columns - 38 + x) * 3);
    }
  }
}
