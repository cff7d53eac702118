import { letterColumns, letterHeight, letterWidth } from "./letters.ts";
import type { Picture } from "./resize.ts";
import type { Point } from "./shutter.ts";

/** Something drawn on a picture (PS3.3 C.10.5): lines through points, or text that begins at one. */
export type Graphic = { light: number } & (
  | { kind: "lines"; points: readonly Point[]; closed: boolean }
  | { kind: "text"; at: Point; lines: readonly string[] }
);

/** Lines and letters of a thickness that is seen at the picture's size. */
const thicknessOf = ({ width, height }: Picture) => Math.max(1, Math.round(Math.max(width, height) / 512));

/** The part of a segment between the borders, as shares of its length; undefined when there is none (Liang and Barsky). */
function within([ax, ay]: Point, [bx, by]: Point, width: number, height: number): [number, number] | undefined {
  let [from, to] = [0, 1];
  for (const [step, room] of [
    [ax - bx, ax],
    [bx - ax, width - 1 - ax],
    [ay - by, ay],
    [by - ay, height - 1 - ay],
  ] as const) {
    if (step === 0 && room < 0) return undefined;
    if (step < 0) from = Math.max(from, room / step);
    if (step > 0) to = Math.min(to, room / step);
  }
  return from <= to ? [from, to] : undefined;
}

function dot(picture: Picture, x: number, y: number, side: number, light: number): void {
  const { width, height, channels, pixels } = picture;
  const [left, right] = [Math.max(0, Math.round(x)), Math.min(width, Math.round(x) + side)];
  if (left >= right) return;
  for (let row = Math.max(0, Math.round(y)); row < Math.min(height, Math.round(y) + side); row++) {
    pixels.fill(light, (row * width + left) * channels, (row * width + right) * channels);
  }
}

function drawSegment(picture: Picture, a: Point, b: Point, light: number): void {
  const part = within(a, b, picture.width, picture.height);
  if (part === undefined) return;
  const side = thicknessOf(picture);
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  // As many steps as pixels along the longer side of the part that is seen: never more than the picture is long.
  const steps = Math.ceil(Math.max(Math.abs(dx), Math.abs(dy)) * (part[1] - part[0]));
  for (let i = 0; i <= steps; i++) {
    const share = part[0] + (steps === 0 ? 0 : ((part[1] - part[0]) * i) / steps);
    dot(picture, a[0] + dx * share, a[1] + dy * share, side, light);
  }
}

function drawText(picture: Picture, [x, y]: Point, lines: readonly string[], light: number): void {
  const scale = 2 * thicknessOf(picture);
  for (const [row, line] of lines.entries()) {
    for (const [column, letter] of [...line].entries()) {
      const left = x + column * (letterWidth + 1) * scale;
      if (left > picture.width) break;
      for (const [i, bits] of letterColumns(letter).entries()) {
        for (let k = 0; k < letterHeight; k++) {
          if (((bits >> k) & 1) === 0) continue;
          dot(picture, left + i * scale, y + (row * (letterHeight + 2) + k) * scale, scale, light);
        }
      }
    }
  }
}

/** Draws on the picture; points count its own pixels, from 0. What lies outside is not drawn. */
export function drawGraphic(picture: Picture, graphic: Graphic): void {
  if (graphic.kind === "text") {
    drawText(picture, graphic.at, graphic.lines, graphic.light);
    return;
  }
  const { points, closed, light } = graphic;
  for (const [i, point] of points.entries()) {
    const next = points[i + 1] ?? (closed ? points[0] : undefined) ?? point;
    drawSegment(picture, point, next, light);
  }
}
