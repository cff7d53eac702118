import { drawGraphic, type Graphic } from "./graphics.ts";
import { cutOut, type Picture } from "./resize.ts";
import { closeShutter, type Point, type Shutter } from "./shutter.ts";

/** What a presentation state lays down about showing an image beyond its brightness (PS3.4 N.2). */
export interface Presentation {
  shutters: readonly Shutter[];
  /** Drawn on the image: points are its columns and rows, from 1. */
  imageGraphics: readonly Graphic[];
  /** First and last column and row shown, from 1, in any order; what lies outside the image is not added to it. */
  area?: { corners: readonly [Point, Point] } | undefined;
  /** Degrees clockwise, before it is mirrored. */
  rotation: 0 | 90 | 180 | 270;
  isMirrored: boolean;
  /** Drawn on what is shown then: points are shares of its width and height. */
  displayGraphics: readonly Graphic[];
}

function turned(picture: Picture, rotation: Presentation["rotation"], isMirrored: boolean): Picture {
  if (rotation === 0 && !isMirrored) return picture;
  const { width, height, channels, pixels } = picture;
  const isUpright = rotation % 180 === 0;
  const [across, down] = isUpright ? [width, height] : [height, width];
  const out = new Uint8Array(pixels.length);
  for (let y = 0, to = 0; y < down; y++) {
    for (let i = 0; i < across; i++, to += channels) {
      const x = isMirrored ? across - 1 - i : i;
      const [sx, sy] =
        rotation === 0
          ? [x, y]
          : rotation === 90
            ? [y, height - 1 - x]
            : rotation === 180
              ? [width - 1 - x, height - 1 - y]
              : [width - 1 - y, x];
      const from = (sy * width + sx) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = pixels[from + c] as number;
    }
  }
  return { width: across, height: down, channels, pixels: out };
}

function moved(graphic: Graphic, point: (at: Point) => Point): Graphic {
  if (graphic.kind === "text") return { ...graphic, at: point(graphic.at) };
  return { ...graphic, points: graphic.points.map(point) };
}

function shownPart(picture: Picture, area: Presentation["area"]): Picture {
  if (area === undefined) return picture;
  const [[ax, ay], [bx, by]] = area.corners;
  const left = Math.max(1, Math.min(ax, bx));
  const top = Math.max(1, Math.min(ay, by));
  const right = Math.min(picture.width, Math.max(ax, bx));
  const bottom = Math.min(picture.height, Math.max(ay, by));
  if (right < left || bottom < top) return picture;
  return cutOut(picture, left - 1, top - 1, right - left + 1, bottom - top + 1, [false, false]);
}

/** The picture, of the image's own size and owned by the caller, as the presentation state has it. */
export function present(picture: Picture, presentation: Presentation): Picture {
  for (const shutter of presentation.shutters) closeShutter(picture, shutter);
  for (const graphic of presentation.imageGraphics) {
    drawGraphic(
      picture,
      moved(graphic, ([column, row]) => [column - 1, row - 1]),
    );
  }
  const shown = turned(shownPart(picture, presentation.area), presentation.rotation, presentation.isMirrored);
  for (const graphic of presentation.displayGraphics) {
    drawGraphic(
      shown,
      moved(graphic, ([x, y]) => [x * (shown.width - 1), y * (shown.height - 1)]),
    );
  }
  return shown;
}
