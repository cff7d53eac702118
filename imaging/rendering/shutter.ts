import type { Picture } from "./resize.ts";

/** A column and a row of the image, from 1, at the middle of its first pixel. */
export type Point = readonly [column: number, row: number];

/** What of an image is shown (PS3.3 C.7.6.11): inside all that are there. */
export interface Shutter {
  /** First and last column and row that are shown. */
  rectangle?: { left: number; right: number; upper: number; lower: number } | undefined;
  circle?: { centre: Point; radius: number } | undefined;
  polygon?: readonly Point[] | undefined;
  /** Brightness of what is not shown, 0 to 255. */
  light: number;
}

/** By crossings to the right (even-odd). */
function isInside(polygon: readonly Point[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i] as Point;
    const [bx, by] = polygon[j] as Point;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

function isHidden({ rectangle, circle, polygon }: Shutter, column: number, row: number): boolean {
  if (rectangle !== undefined) {
    const { left, right, upper, lower } = rectangle;
    if (column < left || column > right || row < upper || row > lower) return true;
  }
  if (circle !== undefined) {
    const [x, y] = circle.centre;
    if ((column - x) ** 2 + (row - y) ** 2 > circle.radius ** 2) return true;
  }
  return polygon !== undefined && !isInside(polygon, column, row);
}

/** Paints over what is not to be seen. */
export function closeShutter(picture: Picture, shutter: Shutter): void {
  const { width, height, channels, pixels } = picture;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) {
      if (isHidden(shutter, x + 1, y + 1)) pixels.fill(shutter.light, at, at + channels);
    }
  }
}
