import { makeField, makeNoiseTile, seededChance, step } from "./noise.ts";

/** A piece of vessel: where it lies, how wide, and how far the contrast runs to reach it. */
interface Piece {
  x: number;
  y: number;
  half: number;
  way: number;
}

/** A tree of arteries that narrows and branches from one trunk. */
function growTree(chance: () => number, start: { x: number; y: number; heading: number; half: number }): Piece[] {
  const pieces: Piece[] = [];
  const tips = [{ ...start, way: 0, bend: 0 }];
  while (tips.length > 0 && pieces.length < 6000) {
    const tip = tips.pop()!;
    const length = 40 + chance() * 70;
    for (let gone = 0; gone < length && tip.half > 0.7; gone += 1) {
      tip.bend = tip.bend * 0.94 + (chance() - 0.5) * 0.022;
      tip.heading += tip.bend;
      tip.x += Math.cos(tip.heading);
      tip.y += Math.sin(tip.heading);
      tip.way += 1;
      tip.half *= 0.9985;
      pieces.push({ x: tip.x, y: tip.y, half: tip.half, way: tip.way });
    }
    if (tip.half <= 0.9) continue;
    const turn = 0.3 + chance() * 0.4;
    tips.push({ ...tip, heading: tip.heading + turn, half: tip.half * 0.78, bend: 0 });
    tips.push({ ...tip, heading: tip.heading - turn * 0.7, half: tip.half * 0.86, bend: 0 });
  }
  return pieces;
}

function paintPiece(
  light: Float32Array,
  side: number,
  piece: Piece,
  strength: number,
  shiftX: number,
  shiftY: number,
): void {
  const [cx, cy] = [piece.x + shiftX, piece.y + shiftY];
  const reach = Math.ceil(piece.half + 1);
  for (let y = Math.max(0, Math.floor(cy - reach)); y <= Math.min(side - 1, cy + reach); y++) {
    for (let x = Math.max(0, Math.floor(cx - reach)); x <= Math.min(side - 1, cx + reach); x++) {
      const away = ((x - cx) ** 2 + (y - cy) ** 2) / (piece.half + 0.4) ** 2;
      if (away >= 1) continue;
      // A round vessel is thickest, and so darkest, in its middle.
      const dark = 1 - strength * Math.sqrt(1 - away) * Math.min(1, piece.half / 4.5);
      const at = y * side + x;
      light[at] = Math.min(light[at] as number, dark);
    }
  }
}

export interface GrayCine {
  columns: number;
  rows: number;
  frames: number;
  frameMs: number;
  /** 8 bits a pixel. */
  frame(index: number): Uint8Array;
}

/** A coronary angiogram: contrast runs down the arteries and washes out while the heart beats. */
export function angiogramCine(options: { frames: number; size: number; seed: number }): GrayCine {
  const { size: side } = options;
  const chance = seededChance(options.seed);
  const field = makeField(chance);
  const noise = makeNoiseTile(chance);
  const scale = side / 512;
  const trunk = { x: 190, y: 120 };
  const trees = [
    growTree(chance, { ...trunk, heading: 0.45, half: 5.6 }),
    growTree(chance, { x: 214, y: 133, heading: 1.25, half: 4.6 }),
  ].map((tree) => tree.map((p) => ({ ...p, x: p.x * scale, y: p.y * scale, half: p.half * scale })));
  const catheter = Array.from({ length: 190 }, (_, i) => ({
    x: (trunk.x - i * 0.55 - 18 * Math.sin(i / 60)) * scale,
    y: (trunk.y - 4 - i * 0.75 + 26 * Math.sin(i / 50)) * scale,
    half: 2.6 * scale,
    way: 0,
  }));
  const background = new Float32Array(side * side);
  for (let i = 0; i < background.length; i++) {
    const [x, y] = [(i % side) / scale, Math.floor(i / side) / scale];
    const ribs = 0.06 * step(0.75, 1, Math.sin((y + 0.0012 * (x - 260) ** 2) / 15));
    const spine = 0.16 * Math.exp(-(((x - 400) / 46) ** 2)) * (1 + 0.15 * Math.sin(y / 13));
    const heart = 0.2 * step(1.1, 0.75, Math.hypot((x - 270) / 190, (y - 290) / 200));
    const diaphragm = 0.22 * step(430, 470, y + 0.0009 * (x - 200) ** 2);
    background[i] = 0.78 - ribs - spine - heart - diaphragm + 0.035 * field(x / 45, y / 45, 1);
  }
  return {
    columns: side,
    rows: side,
    frames: options.frames,
    frameMs: 66.67,
    frame(index) {
      const time = index / Math.max(1, options.frames - 1);
      const front = 620 * step(0.02, 0.5, time);
      const washed = 1 - 0.85 * step(0.6, 1, time);
      const beat = Math.sin((index / 12) * 2 * Math.PI);
      const light = new Float32Array(side * side).fill(1);
      for (const piece of catheter) paintPiece(light, side, piece, 0.4, 0, 0);
      for (const piece of trees.flat()) {
        if (piece.way > front) continue;
        paintPiece(light, side, piece, 0.62 * washed, beat * 5 * scale, beat * 3 * scale * (piece.y / side));
      }
      const out = new Uint8Array(side * side);
      for (let i = 0; i < out.length; i++) {
        const grain = (noise.values[(i + index * 104729) & (noise.values.length - 1)] as number) * 0.016;
        out[i] = Math.max(0, Math.min(255, ((background[i] as number) * (light[i] as number) + grain) * 255));
      }
      return out;
    },
  };
}
