import type { DisplayAttributes, Window } from "./attributes.ts";
import type { ColourFrame } from "./colour.ts";
import { renderColour } from "./colour.ts";
import { renderGrayscale } from "./grayscale.ts";
import { drawOverlay } from "./overlay.ts";
import { present } from "./presentation.ts";
import type { Picture, Viewport } from "./resize.ts";
import { fitViewport } from "./resize.ts";

/** A decoded frame, as `#imaging/codecs` makes them: little endian samples, tightly packed. */
export interface RenderableFrame extends ColourFrame {
  rows: number;
  columns: number;
}

export interface RenderOptions {
  /** Takes the place of the data set's window. Means nothing for colour. */
  window?: Window | undefined;
  viewport?: Viewport | undefined;
  invert?: boolean | undefined;
}

function invertBytes(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array(pixels.length);
  for (let i = 0; i < out.length; i++) out[i] = 255 - (pixels[i] as number);
  return out;
}

/** Overlays and what a presentation state adds, on a copy where the picture's bytes may be the frame's. */
function drawnOn(image: Picture, frame: RenderableFrame, { overlays = [], presentation }: DisplayAttributes): Picture {
  if (overlays.length === 0 && presentation === undefined) return image;
  const picture = image.channels === 1 ? image : { ...image, pixels: Uint8Array.from(image.pixels) };
  for (const overlay of overlays) drawOverlay(picture, overlay, frame);
  return presentation === undefined ? picture : present(picture, presentation);
}

/**
 * A frame as a picture to look at. Grayscale: Modality LUT, VOI LUT and presentation; where the data set names no window, a
 * range that most pixels lie in (8 bit images keep theirs). Colour: as RGB.
 */
export function renderFrame(
  frame: RenderableFrame,
  attributes: DisplayAttributes,
  options: RenderOptions = {},
): Picture {
  const size = { width: frame.columns, height: frame.rows };
  const gray = frame.photometricInterpretation.startsWith("MONOCHROME");
  const image: Picture = gray
    ? { ...size, channels: 1, pixels: renderGrayscale(frame, attributes, options) }
    : { ...size, channels: 3, pixels: renderColour(frame, attributes) };
  if (!gray && options.invert) image.pixels = invertBytes(image.pixels);
  const picture = drawnOn(image, frame, attributes);
  return options.viewport === undefined ? picture : fitViewport(picture, options.viewport);
}
