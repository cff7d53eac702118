import { Problem } from "#base/problem";
import type { Viewport, VoiFunction, Window } from "#imaging/rendering";

/** What a rendered resource was asked to look like (PS3.18 §8.3.5). */
export interface RenderedQuery {
  readonly window: Window | undefined;
  readonly viewport: Viewport | undefined;
  /** 1 to 100; undefined for the default. */
  readonly quality: number | undefined;
  /** `patient` or `technique` was asked to be written into the picture, which is never done. */
  readonly wantsAnnotation: boolean;
}

/** No screen is larger; a larger picture would only cost memory. */
export const pictureSideMax = 8_192;
const picturePixelsMax = 32 * 1024 * 1024;
/** Modality units: far beyond any detector. */
const windowMax = 1e9;

const functions: Readonly<Record<string, VoiFunction>> = {
  linear: "LINEAR",
  "linear-exact": "LINEAR_EXACT",
  linear_exact: "LINEAR_EXACT",
  sigmoid: "SIGMOID",
};

/** Throws Problem `invalid` for parameters that are out of bounds or cannot be read; unknown ones are ignored. */
export function parseRendered(parameters: URLSearchParams): RenderedQuery {
  const profile = parameters.get("iccprofile") ?? "";
  // Pictures are sRGB, the colour of all that names none: a profile that says so would add nothing (PS3.18 §8.3.5.1.5).
  if (!["", "no", "yes", "srgb"].includes(profile.toLowerCase())) throw refused("iccprofile is no, yes or srgb here");
  const annotation = (parameters.get("annotation") ?? "").split(",").filter((each) => each !== "");
  if (annotation.some((each) => each !== "patient" && each !== "technique")) {
    throw refused("annotation is patient, technique or both");
  }
  return {
    window: windowOf(parameters.get("window")),
    viewport: viewportOf(parameters.get("viewport")),
    quality: qualityOf(parameters.get("quality")),
    wantsAnnotation: annotation.length > 0,
  };
}

/** Throws Problem `invalid` for what is no number from 1 to 100. */
export function qualityOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^([1-9][0-9]?|100)$/.test(text)) throw refused("quality is a whole number from 1 to 100");
  return Number(text);
}

/** `center,width,function` (PS3.18 §8.3.5.1.4). */
function windowOf(text: string | null): Window | undefined {
  if (text === null || text === "") return undefined;
  const [center, width, named = "linear", ...more] = text.split(",").map((each) => each.trim());
  const shape = functions[named.toLowerCase()];
  if (more.length > 0 || shape === undefined)
    throw refused("window is center,width and linear, linear-exact or sigmoid");
  return boundedWindow(numberOf(center), numberOf(width), shape);
}

export function boundedWindow(center: number, width: number, shape: VoiFunction): Window {
  const least = shape === "LINEAR" ? width >= 1 : width > 0;
  if (!least || Math.abs(center) > windowMax || width > windowMax) throw refused("window is out of bounds");
  return { center, width, function: shape };
}

/** `vw,vh` or `vw,vh,sx,sy,sw,sh`, the last four each empty for its default (PS3.18 §8.3.5.1.3). */
function viewportOf(text: string | null): Viewport | undefined {
  if (text === null || text === "") return undefined;
  const values = text.split(",").map((each) => (each.trim() === "" ? undefined : Math.round(numberOf(each.trim()))));
  const [width, height, sx, sy, sw, sh] = values;
  if (values.length > 6 || width === undefined || height === undefined) throw refused("viewport is vw,vh,sx,sy,sw,sh");
  requirePictureSize(width, height);
  return { width, height, sx, sy, sw, sh };
}

export function requirePictureSize(width: number, height: number): void {
  const fits = width >= 1 && height >= 1 && width <= pictureSideMax && height <= pictureSideMax;
  if (!fits || width * height > picturePixelsMax) {
    throw refused(`a picture is from 1 to ${pictureSideMax} pixels a side, ${picturePixelsMax} in all at most`);
  }
}

export function numberOf(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !/^[+-]?([0-9]+|[0-9]*\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text) || !Number.isFinite(value)) {
    throw refused("a number cannot be read");
  }
  return value;
}

function refused(what: string): Problem {
  return new Problem("invalid", what, { remedy: "see PS3.18 §8.3.5.1 for the parameters of a rendered picture" });
}
