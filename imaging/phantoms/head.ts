import type { HeadShape } from "./head-solids.ts";
import { baseSolids, brainSolids, faceSolids } from "./head-solids.ts";
import type { Field } from "./noise.ts";
import { makeField, mix, seededChance, step } from "./noise.ts";
import type { Ellipsoid, Plane } from "./plane.ts";
import { makePlane, paintEllipsoid } from "./plane.ts";

/** How far the generated head reaches, in mm from the middle of the brain. */
export const headReachMm = { bottom: -72, top: 84 };

const directions = 1024;

/** Distances from the axis of the head in each direction at one height. */
interface Rings {
  skin: Float32Array;
  skullOuter: Float32Array;
  skullInner: Float32Array;
}

/** Distance and direction of every pixel from the axis of the head; the same for all slices. */
interface Polar {
  radius: Float32Array;
  direction: Uint16Array;
}

function makePolar(plane: Plane): Polar {
  const centre = (plane.side - 1) / 2;
  const radius = new Float32Array(plane.values.length);
  const direction = new Uint16Array(plane.values.length);
  for (let at = 0; at < radius.length; at++) {
    const x = ((at % plane.side) - centre) * plane.spacingMm;
    const y = (Math.floor(at / plane.side) - centre) * plane.spacingMm;
    radius[at] = Math.hypot(x, y);
    direction[at] = (Math.round((Math.atan2(y, x) / (2 * Math.PI)) * directions) + directions) % directions;
  }
  return { radius, direction };
}

const bump = (distance: number, width: number) => Math.exp(-((distance / width) ** 2));

/** Angle between two directions, 0 to π. */
const between = (a: number, b: number) => Math.abs(Math.atan2(Math.sin(a - b), Math.cos(a - b)));

const front = -Math.PI / 2;
const back = Math.PI / 2;

function ringsAt(z: number, field: Field): Rings {
  const rings: Rings = {
    skin: new Float32Array(directions),
    skullOuter: new Float32Array(directions),
    skullInner: new Float32Array(directions),
  };
  const height = z > 0 ? z / 87 : z / 150;
  const whole = Math.sqrt(Math.max(0, 1 - height ** 2));
  // Below the ears the brain case closes towards the foramen magnum.
  const cavity = z > -8 ? 1 : Math.sqrt(Math.max(0, 1 - ((z + 8) / -52) ** 2));
  const crown = z > 0 ? Math.sqrt(Math.max(0, 1 - (z / 75) ** 2)) : 1;
  for (let i = 0; i < directions; i++) {
    const angle = (i / directions) * 2 * Math.PI;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const side = Math.min(between(angle, 0), between(angle, Math.PI));
    const toFront = between(angle, front);
    const round = (a: number, b: number) => 1 / Math.hypot(cos / a, sin / b);
    // A head is widest behind its middle and squarer than an ellipse.
    const form = 1 + 0.025 * Math.cos(4 * angle + Math.PI) - 0.03 * Math.cos(angle - back) * 0.4;
    const lumps = 0.7 * field(cos * 2.2 + 5, sin * 2.2 + 5, z / 40 + 9);
    const case_ = round(74, 91) * form * whole + lumps;
    const nose = 20 * bump(toFront, 0.14) * bump(z + 48, 17);
    const chin = z < -20 ? 4 * bump(toFront, 0.5) * step(-20, -55, z) : 0;
    const ear = 9 * bump(side - 0.2 * Math.sign(sin), 0.1) * bump(z + 32, 14) * (sin > -0.1 ? 1 : 0.2);
    rings.skin[i] = case_ + nose + chin + ear;
    const temple =
      6 * bump(between(Math.abs(Math.atan2(sin, Math.abs(cos))), 0.45), 0.4) * bump(z + 10, 30) * (sin < 0.2 ? 1 : 0.3);
    const scalp = (4.6 + temple + (z < -35 ? step(-35, -60, z) * 7 : 0)) / Math.max(0.45, whole);
    rings.skullOuter[i] = Math.max(0, case_ - scalp);
    const thick =
      5.6 +
      2.2 * bump(between(angle, back), 0.5) +
      1.4 * bump(toFront, 0.6) -
      1.8 * bump(side, 0.35) +
      1.3 * field(cos * 3, sin * 3, z / 18);
    const inside = Math.max(0, round(62.5, 79.5) * form * Math.min(whole, crown * 1.02) + lumps);
    // In front the floor of the skull lies higher than at the back.
    const floor =
      z < -6 && sin < 0.25 ? mix(1, Math.max(0, cavity * 1.25 - 0.75 * step(-6, -34, z)), step(0.25, -0.5, sin)) : 1;
    rings.skullInner[i] = Math.max(0, Math.min(inside * cavity * floor, case_ - scalp - Math.max(2.4, thick)));
  }
  return rings;
}

/** Folds of the cortex: liquor in the furrows, grey matter along them and under the surface, white matter within. */
function cortexValue(shape: HeadShape, field: Field, x: number, y: number, z: number, depth: number): number {
  const t = shape.tissues;
  const below = step(-8, -17, z + (y > 40 ? -2 : 0)) * step(4, 14, y);
  if (below >= 1) return cerebellumValue(shape, field, x, y, z, depth);
  const fold = Math.abs(field(x / 10 + 7, y / 10 + 3, z / 11)) + 0.22 * Math.abs(field(x / 4.5, y / 4.5, z / 6 + 11));
  const reach = 21;
  const left = Math.max(0, 1 - depth / reach);
  const whiteShare = step(0.19, 0.3, fold - left * 0.05) * step(2.4, 5, depth) + step(reach * 0.75, reach * 1.2, depth);
  const matter = mix(t.grey, t.white, Math.min(1, whiteShare));
  const wet = step(0.1 * left + 0.055, 0.05, fold) * step(0, 0.25, left) * 0.95;
  const shell = step(2.4, 0.6, depth);
  const value = mix(matter, t.liquor, Math.max(wet, shell * 0.85));
  return below > 0 ? mix(value, cerebellumValue(shape, field, x, y, z, depth), below) : value;
}

function cerebellumValue(shape: HeadShape, field: Field, x: number, y: number, z: number, depth: number): number {
  const t = shape.tissues;
  const leaf =
    0.5 + 0.5 * Math.sin((Math.hypot(x * 0.8, y - 40, (z + 34) * 1.4) + 2 * field(x / 9, y / 9, z / 9)) * 1.9);
  const furrow = leaf * 0.22 * step(14, 2, depth);
  return mix(mix(t.cerebellum, t.white, step(10, 24, depth) * 0.5), t.liquor, furrow);
}

/** The dark gap between the halves with the falx in it. */
function midlineValue(shape: HeadShape, value: number, x: number, y: number, z: number, depth: number): number {
  const t = shape.tissues;
  const wander = x - 0.8 * Math.sin(y / 21);
  const open = z > 26 ? 1 : y < -34 || y > 46 ? 1 : 0;
  if (open === 0 || z < -4) return value;
  const wide = 1.1 + 1.6 * step(24, 4, depth);
  const gap = mix(value, t.liquor, step(wide + 1.2, wide * 0.4, Math.abs(wander)) * 0.75);
  return mix(gap, t.blood, step(1.3, 0.3, Math.abs(wander)) * 0.75);
}

function boneValue(
  shape: HeadShape,
  field: Field,
  outer: number,
  inner: number,
  r: number,
  x: number,
  y: number,
  z: number,
): number {
  const { compactBone, spongyBone } = shape.tissues;
  const across = (r - inner) / Math.max(1, outer - inner);
  const middle = step(0.16, 0.42, across) * step(0.84, 0.58, across) * step(4.4, 6.5, outer - inner);
  return mix(compactBone, mix(spongyBone, compactBone, 0.25 + 0.3 * field(x / 4, y / 4, z / 4)), middle);
}

/** Paints one slice after another of the same head. */
export interface HeadPainter {
  /** The slice at height `z` mm; the plane is used again for the next. */
  paint(z: number): Plane;
}

export function createHeadPainter(shape: HeadShape, side: number, spacingMm: number, seed: number): HeadPainter {
  const chance = seededChance(seed);
  const field = makeField(chance);
  const plane = makePlane(side, spacingMm);
  const polar = makePolar(plane);
  const brain = brainSolids(shape, chance);
  const around: Ellipsoid[] = [...faceSolids(shape), ...baseSolids(shape)];
  return {
    paint(z) {
      const rings = ringsAt(z, field);
      paintLayers(plane, polar, rings, shape, field, z);
      for (const solid of around) paintEllipsoid(plane, z, solid);
      paintCells(plane, shape, field, z);
      for (const solid of brain) paintEllipsoid(plane, z, solid);
      return plane;
    },
  };
}

/** Air, and at the back the cradle that the head lies in: a shell with foam within. */
function aroundValue(shape: HeadShape, { side, spacingMm }: Plane, at: number): number {
  const t = shape.tissues;
  const centre = (side - 1) / 2;
  const y = (Math.floor(at / side) - centre) * spacingMm;
  if (y < 20) return t.air;
  const x = ((at % side) - centre) * spacingMm;
  const away = Math.hypot(x, y + 6) - 107;
  if (Math.abs(away) < 3.4) return mix(t.holder, t.air, step(1, 2.4, Math.abs(away)) * 0.9);
  return away < 0 && away > -22 ? t.foam : t.air;
}

/** Below the base of the skull bone is a shell, and another round what is left of the brain's room; flesh lies between. */
function fleshWithin(z: number, outer: number, inner: number, r: number): number {
  if (z > -14) return 0;
  const shell = mix(9, 0, step(-38, -56, z));
  const away = Math.min(outer - shell - r, r - inner - mix(12, 5, step(-14, -30, z)));
  return step(-0.7, 0.7, away) * step(20, 28, outer - inner);
}

function paintLayers(plane: Plane, polar: Polar, rings: Rings, shape: HeadShape, field: Field, z: number): void {
  const t = shape.tissues;
  const { side, spacingMm, values } = plane;
  const centre = (side - 1) / 2;
  const soft = spacingMm * 1.2;
  const cover = (border: number, r: number) => Math.min(1, Math.max(0, 0.5 + (border - r) / soft));
  for (let at = 0; at < values.length; at++) {
    const r = polar.radius[at] as number;
    const i = polar.direction[at] as number;
    const skin = rings.skin[i] as number;
    if (r > skin + soft) {
      values[at] = aroundValue(shape, plane, at);
      continue;
    }
    const outer = rings.skullOuter[i] as number;
    const inner = rings.skullInner[i] as number;
    const x = ((at % side) - centre) * spacingMm;
    const y = (Math.floor(at / side) - centre) * spacingMm;
    let value: number;
    if (r < inner - soft) {
      value = midlineValue(
        shape,
        cortexValue(shape, field, x, y, z, Math.min(inner - r, (78 - z) * 0.9)),
        x,
        y,
        z,
        inner - r,
      );
    } else {
      const meat =
        t.fat + (t.muscle - t.fat) * step(-0.1, 0.35, field(x / 14, y / 14, z / 14) + (skin - r > 9 ? 0.72 : -0.2));
      const flesh = mix(meat, t.skin, cover(2.2, skin - r));
      const bone =
        outer > inner + 0.5 && r > inner - soft && r < outer + soft
          ? boneValue(shape, field, outer, inner, r, x, y, z)
          : flesh;
      value = mix(flesh, bone, bone === flesh ? 0 : cover(outer, r) * (1 - fleshWithin(z, outer, inner, r)));
      if (r < inner + soft) value = mix(value, t.liquor, cover(inner, r));
      value = mix(t.air, value, cover(skin, r));
    }
    values[at] = value;
  }
}

/** Air cells of the mastoid bones and walls between the ethmoid cells. */
function paintCells(plane: Plane, shape: HeadShape, field: Field, z: number): void {
  if (z > -10 || z < -66) return;
  const t = shape.tissues;
  const { side, spacingMm, values } = plane;
  const centre = (side - 1) / 2;
  const box = (x0: number, x1: number, y0: number, y1: number, each: (at: number, x: number, y: number) => void) => {
    const pixel = (mm: number) => Math.min(side - 1, Math.max(0, Math.round(mm / spacingMm + centre)));
    for (let row = pixel(y0); row <= pixel(y1); row++) {
      for (let column = pixel(x0); column <= pixel(x1); column++) {
        each(row * side + column, (column - centre) * spacingMm, (row - centre) * spacingMm);
      }
    }
  };
  const cells = (at: number, x: number, y: number) => {
    const from = Math.abs(x);
    const within = 1 - Math.hypot((from - 59) / 11, (y - 22) / 15, (z + 43) / 18);
    if (within <= 0) return;
    const cell = field(x / 2.6 + 40, y / 2.6, z / 2.6);
    values[at] = mix(values[at] as number, t.air, step(-0.1, 0.25, cell) * step(0, 0.25, within) * 0.92);
  };
  box(-72, -44, 4, 40, cells);
  box(44, 72, 4, 40, cells);
  box(-13, 13, -84, -34, (at, x, y) => {
    const within = 1 - Math.hypot(x / 12, (y + 58) / 25, (z + 30) / 16);
    if (within <= 0) return;
    const wall = Math.min(Math.abs(field(x / 5 + 3, y / 7, z / 7 + 20)), Math.abs(Math.abs(x) - 4.5) / 8 + 0.04);
    values[at] = mix(values[at] as number, t.muscle + 160, step(0.13, 0.05, wall) * 0.8);
  });
}
