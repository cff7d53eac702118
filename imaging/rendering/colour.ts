import { Problem } from "#base/problem";
import type { DisplayAttributes, LookupTable } from "./attributes.ts";
import type { SampledFrame } from "./grayscale.ts";
import { wideSamples } from "./grayscale.ts";
import { lookUp } from "./voi.ts";
import { ybrFullToRgb, ybrPartialToRgb } from "./ybr.ts";

export interface ColourFrame extends SampledFrame {
  samplesPerPixel: number;
  planarConfiguration: 0 | 1;
}

/** Three bytes a pixel, colour by pixel, whatever the sample width and planar configuration were. */
function threeBytes(frame: ColourFrame): Uint8Array {
  const samples = wideSamples(frame, false);
  if (frame.samplesPerPixel !== 3 || samples.length % 3 !== 0) {
    throw new Problem("unsupported", `showing colour of ${frame.samplesPerPixel} samples`);
  }
  if (samples instanceof Uint8Array && frame.planarConfiguration === 0 && frame.bitsStored === 8) return samples;
  const out = new Uint8Array(samples.length);
  const pixels = samples.length / 3;
  const scale = 255 / (2 ** frame.bitsStored - 1);
  const [pixelStep, planeStep] = frame.planarConfiguration === 1 ? [1, pixels] : [3, 1];
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < pixels; i++) {
      out[i * 3 + c] = Math.min(255, Math.round((samples[i * pixelStep + c * planeStep] as number) * scale));
    }
  }
  return out;
}

function renderPalette(frame: ColourFrame, palette: NonNullable<DisplayAttributes["palette"]>): Uint8Array {
  const samples = wideSamples(frame, false);
  const size = 2 ** Math.min(16, frame.bitsStored);
  const signed = frame.pixelRepresentation === 1;
  const bytes = [palette.red, palette.green, palette.blue].map((table: LookupTable) => {
    // Tables that state 16 bits and hold bytes are common enough to be met halfway.
    const most = table.bits > 8 && table.data.some((entry) => entry > 255) ? 2 ** table.bits - 1 : 255;
    return Uint8Array.from({ length: size }, (_, raw) => {
      const value = signed && raw >= size / 2 ? raw - size : raw;
      return Math.min(255, Math.round((lookUp(table, value) * 255) / most));
    });
  });
  const [red, green, blue] = bytes as [Uint8Array, Uint8Array, Uint8Array];
  const out = new Uint8Array(samples.length * 3);
  for (let i = 0, to = 0; i < samples.length; i++, to += 3) {
    const raw = (samples[i] as number) & (size - 1);
    out[to] = red[raw] as number;
    out[to + 1] = green[raw] as number;
    out[to + 2] = blue[raw] as number;
  }
  return out;
}

/** RGB, three bytes a pixel, from RGB, YBR of all kinds (its chroma already repeated) or a palette. */
export function renderColour(frame: ColourFrame, attributes: DisplayAttributes): Uint8Array {
  switch (frame.photometricInterpretation) {
    case "PALETTE COLOR":
      if (attributes.palette === undefined) {
        throw new Problem("invalid", "a palette image without its palette", { remedy: "show it as grayscale" });
      }
      return renderPalette(frame, attributes.palette);
    case "RGB":
    // The codecs undo these two; a frame that still says so was never mixed.
    case "YBR_ICT":
    case "YBR_RCT":
      return threeBytes(frame);
    case "YBR_FULL":
    case "YBR_FULL_422":
      return ybrFullToRgb(threeBytes(frame));
    case "YBR_PARTIAL":
    case "YBR_PARTIAL_422":
    case "YBR_PARTIAL_420":
      return ybrPartialToRgb(threeBytes(frame));
    default:
      throw new Problem("unsupported", "showing an image of this photometric interpretation");
  }
}
