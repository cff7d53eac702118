import { type DataSet, Tag, tagOf } from "#formats/dicom";
import type { DisplayAttributes, Graphic, Point, Presentation, Shutter } from "#imaging/rendering";
import { presentationTableOf, transformationOf, voiOf } from "./display.ts";
import { overlaysOf } from "./overlays.ts";

/** Presentation states that are shown by showing what they refer to (PS3.3 §A.33). */
const shown: ReadonlySet<string> = new Set([
  "1.2.840.10008.5.1.4.1.1.11.1", // Grayscale Softcopy
  "1.2.840.10008.5.1.4.1.1.11.2", // Color Softcopy
]);

export const isPresentationState = (sopClassUid: string): boolean => shown.has(sopClassUid);

/** More points or texts than anybody draws by hand are not drawn. */
const pointsMax = 20_000;
const textsMax = 500;
const textMax = 1_024;

const tag = {
  series: tagOf("ReferencedSeriesSequence"),
  images: tagOf("ReferencedImageSequence"),
  sopUid: tagOf("ReferencedSOPInstanceUID"),
  frames: tagOf("ReferencedFrameNumber"),
  voi: tagOf("SoftcopyVOILUTSequence"),
  areas: tagOf("DisplayedAreaSelectionSequence"),
  annotations: tagOf("GraphicAnnotationSequence"),
  layers: tagOf("GraphicLayerSequence"),
  layer: tagOf("GraphicLayer"),
} as const;

/** The image, and its frame counted from 1, that a presentation state is shown by: the first that it refers to. */
export interface ReferredImage {
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly frameNumber: number | undefined;
}

export function referredImage(state: DataSet): ReferredImage | undefined {
  const series = state.items(tag.series)?.[0];
  const image = series?.items(tag.images)?.[0];
  const [seriesUid, sopUid] = [series?.text(Tag.SeriesInstanceUID), image?.text(tag.sopUid)];
  if (!seriesUid || !sopUid) return undefined;
  return { seriesUid, sopUid, frameNumber: image?.numbers(tag.frames)?.[0] };
}

/**
 * How a presentation state has an image shown: its transforms in place of the image's own (PS3.4 §N.2), its shutters, graphics, area and
 * turns. Of overlays those of the image that it activates, and its own.
 */
export function presentedBy(
  state: DataSet,
  image: DataSet,
  own: DisplayAttributes,
  by: ReferredImage,
): DisplayAttributes {
  const about = (sequence: number) => itemAbout(state, sequence, by);
  const frame = (by.frameNumber ?? 1) - 1;
  const voi = about(tag.voi);
  const isActive = (group: number) => Boolean(state.text(group * 0x10000 + 0x1001));
  const light = (name: string) => lightOf(state, name);
  return {
    ...own,
    ...transformationOf(state, own),
    ...(voi === undefined ? { windows: [], voiLut: undefined } : voiOf(voi, false)),
    presentationLutShape: state.text(tagOf("PresentationLUTShape")),
    presentationLut: presentationTableOf(state),
    overlays: [...overlaysOf(image, frame, isActive), ...overlaysOf(state, frame, isActive)],
    presentation: {
      ...turnsOf(state),
      ...graphicsOf(state, by, light),
      shutters: shuttersOf(state),
      area: areaOf(about(tag.areas)),
    },
  };
}

/** The item of a sequence that names the image, or names none and so is for all. */
function itemAbout(state: DataSet, sequence: number, by: ReferredImage): DataSet | undefined {
  return state.items(sequence)?.find((item) => isAbout(item, by));
}

function isAbout(item: DataSet, { sopUid }: ReferredImage): boolean {
  const images = item.items(tag.images) ?? [];
  return images.length === 0 || images.some((image) => image.text(tag.sopUid) === sopUid);
}

function turnsOf(state: DataSet): Pick<Presentation, "rotation" | "isMirrored"> {
  const degrees = state.number(tagOf("ImageRotation"));
  const rotation = degrees === 90 || degrees === 180 || degrees === 270 ? degrees : 0;
  return { rotation, isMirrored: state.text(tagOf("ImageHorizontalFlip")) === "Y" };
}

function areaOf(area: DataSet | undefined): Presentation["area"] {
  const [first] = pointsOf(area?.numbers(tagOf("DisplayedAreaTopLeftHandCorner")));
  const [last] = pointsOf(area?.numbers(tagOf("DisplayedAreaBottomRightHandCorner")));
  return first && last && { corners: [first, last] };
}

/** P-Values of 16 bits (PS3.3 §C.7.6.11.1.1) as brightness. */
const ofPValue = (value: number | undefined): number =>
  Math.round((Math.min(65_535, Math.max(0, value ?? 0)) * 255) / 65_535);

function shuttersOf(state: DataSet): Shutter[] {
  const shapes = state.texts(tagOf("ShutterShape")) ?? [];
  const light = ofPValue(state.number(tagOf("ShutterPresentationValue")));
  const number = (name: string) => state.number(tagOf(name)) ?? Number.NaN;
  const rowsFirst = (values: readonly number[] | undefined) =>
    pointsOf(values).map(([row, column]): Point => [column, row]);
  return shapes.slice(0, 3).flatMap((shape): Shutter[] => {
    if (shape === "RECTANGULAR") {
      const [left, right] = [number("ShutterLeftVerticalEdge"), number("ShutterRightVerticalEdge")];
      const [upper, lower] = [number("ShutterUpperHorizontalEdge"), number("ShutterLowerHorizontalEdge")];
      return [{ rectangle: { left, right, upper, lower }, light }];
    }
    const [centre] = rowsFirst(state.numbers(tagOf("CenterOfCircularShutter")));
    if (shape === "CIRCULAR" && centre)
      return [{ circle: { centre, radius: number("RadiusOfCircularShutter") }, light }];
    const polygon = rowsFirst(state.numbers(tagOf("VerticesOfThePolygonalShutter"))).slice(0, 1_000);
    return shape === "POLYGONAL" && polygon.length >= 3 ? [{ polygon, light }] : [];
  });
}

function lightOf(state: DataSet, layer: string): number {
  const found = state.items(tag.layers)?.find((item) => item.text(tag.layer) === layer);
  return ofPValue(found?.number(tagOf("GraphicLayerRecommendedDisplayGrayscaleValue")) ?? 65_535);
}

function graphicsOf(
  state: DataSet,
  by: ReferredImage,
  light: (layer: string) => number,
): Pick<Presentation, "imageGraphics" | "displayGraphics"> {
  const imageGraphics: Graphic[] = [];
  const displayGraphics: Graphic[] = [];
  let points = 0;
  const keep = (units: string | undefined, graphic: Graphic) => {
    points += graphic.kind === "lines" ? graphic.points.length : 1;
    if (points > pointsMax || imageGraphics.length + displayGraphics.length >= textsMax + pointsMax) return;
    (units === "DISPLAY" ? displayGraphics : imageGraphics).push(graphic);
  };
  for (const annotation of state.items(tag.annotations) ?? []) {
    if (!isAbout(annotation, by)) continue;
    const bright = light(annotation.text(tag.layer) ?? "");
    for (const item of annotation.items(tagOf("GraphicObjectSequence")) ?? []) {
      const lines = linesOf(item);
      if (lines !== undefined)
        keep(item.text(tagOf("GraphicAnnotationUnits")), { kind: "lines", ...lines, light: bright });
    }
    for (const item of (annotation.items(tagOf("TextObjectSequence")) ?? []).slice(0, textsMax)) {
      const isBoxed = item.has(tagOf("BoundingBoxTopLeftHandCorner"));
      const [place] = pointsOf(item.numbers(tagOf(isBoxed ? "BoundingBoxTopLeftHandCorner" : "AnchorPoint")));
      const units = item.text(tagOf(isBoxed ? "BoundingBoxAnnotationUnits" : "AnchorPointAnnotationUnits"));
      const text = (item.text(tagOf("UnformattedTextValue")) ?? "").slice(0, textMax);
      if (place !== undefined)
        keep(units, { kind: "text", at: place, lines: text.split(/\r\n|[\r\n]/), light: bright });
    }
  }
  return { imageGraphics, displayGraphics };
}

const circleSteps = 72;

/** A graphic of PS3.3 §C.10.5.1.2 as lines; an interpolated one goes straight from point to point. */
function linesOf(item: DataSet): { points: readonly Point[]; closed: boolean } | undefined {
  const points = pointsOf(item.numbers(tagOf("GraphicData")));
  const [a, b, c, d] = points;
  const around = (centre: Point, across: Point, up: Point) => ({
    closed: true,
    points: Array.from({ length: circleSteps }, (_, at): Point => {
      const [x, y] = [Math.cos((at * 2 * Math.PI) / circleSteps), Math.sin((at * 2 * Math.PI) / circleSteps)];
      return [centre[0] + across[0] * x + up[0] * y, centre[1] + across[1] * x + up[1] * y];
    }),
  });
  switch (item.text(tagOf("GraphicType"))) {
    case "POINT":
    case "POLYLINE":
    case "INTERPOLATED":
      return points.length === 0 ? undefined : { points, closed: false };
    case "CIRCLE": {
      if (a === undefined || b === undefined) return undefined;
      const radius = Math.hypot(b[0] - a[0], b[1] - a[1]);
      return around(a, [radius, 0], [0, radius]);
    }
    case "ELLIPSE": {
      if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
      const half = (from: Point, to: Point): Point => [(to[0] - from[0]) / 2, (to[1] - from[1]) / 2];
      return around([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], half(a, b), half(c, d));
    }
    default:
      return undefined;
  }
}

function pointsOf(values: readonly number[] | undefined): Point[] {
  const points: Point[] = [];
  for (let at = 0; values !== undefined && at + 1 < values.length && points.length < pointsMax; at += 2) {
    const [x, y] = [values[at] as number, values[at + 1] as number];
    if (Number.isFinite(x) && Number.isFinite(y)) points.push([x, y]);
  }
  return points;
}
