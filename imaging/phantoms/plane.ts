/** A slice while it is painted: square, in millimetres round its centre, x to the image's right, y down. */
export interface Plane {
  side: number;
  spacingMm: number;
  values: Float32Array;
}

export function makePlane(side: number, spacingMm: number): Plane {
  return { side, spacingMm, values: new Float32Array(side * side) };
}

/** A solid: an ellipsoid that may be turned about the z axis. */
export interface Ellipsoid {
  at: [x: number, y: number, z: number];
  half: [x: number, y: number, z: number];
  turnDegrees?: number;
  value: number;
  /** Greatest share of `value` in the result; below 1 what was there shines through. */
  share?: number;
  /** Width of the border in mm; default one pixel. */
  soft?: number;
}

/** Paints where the plane at height `z` cuts the solid. */
export function paintEllipsoid(plane: Plane, z: number, solid: Ellipsoid): void {
  const away = (z - solid.at[2]) / solid.half[2];
  if (Math.abs(away) >= 1) return;
  const shrink = Math.sqrt(1 - away * away);
  const [a, b] = [solid.half[0] * shrink, solid.half[1] * shrink];
  const turn = ((solid.turnDegrees ?? 0) * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const soft = solid.soft ?? plane.spacingMm;
  const width = Math.hypot(a * cos, b * sin) + soft;
  const height = Math.hypot(a * sin, b * cos) + soft;
  const centre = (plane.side - 1) / 2;
  const toPixel = (mm: number) => mm / plane.spacingMm + centre;
  const left = Math.max(0, Math.floor(toPixel(solid.at[0] - width)));
  const right = Math.min(plane.side - 1, Math.ceil(toPixel(solid.at[0] + width)));
  const top = Math.max(0, Math.floor(toPixel(solid.at[1] - height)));
  const bottom = Math.min(plane.side - 1, Math.ceil(toPixel(solid.at[1] + height)));
  const least = Math.min(a, b);
  const share = solid.share ?? 1;
  for (let row = top; row <= bottom; row++) {
    const dy = (row - centre) * plane.spacingMm - solid.at[1];
    for (let column = left; column <= right; column++) {
      const dx = (column - centre) * plane.spacingMm - solid.at[0];
      const u = (dx * cos + dy * sin) / a;
      const v = (dy * cos - dx * sin) / b;
      const cover = (0.5 + ((1 - Math.sqrt(u * u + v * v)) * least) / soft) * share;
      if (cover <= 0) continue;
      const at = row * plane.side + column;
      const old = plane.values[at] as number;
      plane.values[at] = old + (solid.value - old) * Math.min(cover, share);
    }
  }
}

/** The same solid on the other side of the midline. */
export function mirrored(solid: Ellipsoid): Ellipsoid {
  return { ...solid, at: [-solid.at[0], solid.at[1], solid.at[2]], turnDegrees: -(solid.turnDegrees ?? 0) };
}

export const bothSides = (solid: Ellipsoid): Ellipsoid[] => [solid, mirrored(solid)];

/** The plane with twice the pixels each way, straight lines between them. `out` must hold them. */
export function doubled(plane: Plane, out: Float32Array): void {
  const { side, values } = plane;
  const wide = side * 2;
  for (let row = 0; row < wide; row++) {
    // The centre of a fine pixel lies a quarter of a coarse one from the centre of its own coarse pixel.
    const near = row >> 1;
    const far = Math.min(side - 1, Math.max(0, near + (row & 1 ? 1 : -1)));
    const [nearLine, farLine] = [near * side, far * side];
    let here = (values[nearLine] as number) * 0.75 + (values[farLine] as number) * 0.25;
    let before = here;
    for (let i = 0, to = row * wide; i < side; i++, to += 2) {
      const next = Math.min(side - 1, i + 1);
      const after = (values[nearLine + next] as number) * 0.75 + (values[farLine + next] as number) * 0.25;
      out[to] = here * 0.75 + before * 0.25;
      out[to + 1] = here * 0.75 + after * 0.25;
      before = here;
      here = after;
    }
  }
}
