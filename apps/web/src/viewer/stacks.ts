import { type DataSet, items, number, numbers, tags, text } from "./data-set.ts";
import { isDecodedHere } from "./decodable.ts";
import { documentKind } from "./document-kinds.ts";

export interface StackImage {
  /** `wadors:` and the path of one frame; `drawn:` where the server draws it. */
  readonly imageId: string;
  readonly instance: DataSet;
  /** From 1. */
  readonly frame: number;
}

/** Images that are scrolled together. */
export interface Stack {
  readonly kind: "images";
  readonly id: string;
  readonly seriesUid: string;
  readonly title: string;
  readonly modality: string;
  readonly images: readonly StackImage[];
  readonly thumbnail: string;
  /** Frames a second to play with. */
  readonly rate: number;
}

/** An object that has no pixels to scroll, or none that a browser can show. */
export interface DocumentObject {
  readonly kind: "document";
  readonly id: string;
  readonly seriesUid: string;
  readonly title: string;
  readonly modality: string;
  /** What it is, in the field's words. */
  readonly what: string;
  readonly note: string;
  readonly instance: DataSet;
  readonly path: string;
}

export type Shown = Stack | DocumentObject;

const videoSyntaxes = /^1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.|$)/;
const usualRate = 15;

/** Sorts a series' instances into what can be scrolled together and what is read by itself. `root` is the series' path. */
export function sortSeries(root: string, seriesUid: string, instances: readonly DataSet[]): readonly Shown[] {
  const single: DataSet[] = [];
  const shown: Shown[] = [];
  for (const instance of instances) {
    const kind = documentKind(text(instance, tags.sopClassUid), hasPixels(instance));
    const isVideo = videoSyntaxes.test(text(instance, tags.availableTransferSyntax));
    if (kind !== undefined || isVideo) shown.push(documentOf(root, seriesUid, instance, kind ?? video));
    else if ((number(instance, tags.numberOfFrames) ?? 1) > 1) shown.push(stackOf(root, seriesUid, [instance]));
    else single.push(instance);
  }
  return single.length === 0 ? shown : [stackOf(root, seriesUid, inOrder(single)), ...shown];
}

/** Pixel Data, Float Pixel Data, Double Float Pixel Data: their metadata names where the bytes are. */
const pixelTags = ["7FE00010", "7FE00008", "7FE00009"];
const video = { what: "Video", note: "This browser page does not play videos. Retrieve it with a workstation." };

function hasPixels(instance: DataSet): boolean {
  if (!pixelTags.some((tag) => instance[tag] !== undefined)) return false;
  return (number(instance, tags.rows) ?? 0) > 0 && (number(instance, tags.columns) ?? 0) > 0;
}

function stackOf(root: string, seriesUid: string, instances: readonly DataSet[]): Stack {
  const first = instances[0] as DataSet;
  const images = instances.flatMap((instance) => {
    const path = `${root}/instances/${text(instance, tags.sopInstanceUid)}`;
    const frames = Math.max(1, number(instance, tags.numberOfFrames) ?? 1);
    const scheme = isDecodedHere(instance) ? "wadors" : "drawn";
    return Array.from({ length: frames }, (_, index) => ({
      imageId: `${scheme}:${path}/frames/${index + 1}`,
      instance,
      frame: index + 1,
    }));
  });
  const path = `${root}/instances/${text(first, tags.sopInstanceUid)}`;
  return {
    kind: "images",
    id: path,
    seriesUid,
    title: seriesTitle(first),
    modality: text(first, tags.modality),
    images,
    thumbnail: instances.length === 1 ? `${path}/thumbnail` : `${root}/thumbnail`,
    rate: frameRate(first),
  };
}

function documentOf(
  root: string,
  seriesUid: string,
  instance: DataSet,
  kind: { readonly what: string; readonly note: string },
): DocumentObject {
  const path = `${root}/instances/${text(instance, tags.sopInstanceUid)}`;
  const named =
    text(instance, tags.documentTitle) ||
    text(items(instance, tags.conceptName)[0], tags.codeMeaning) ||
    text(instance, tags.contentLabel);
  return {
    kind: "document",
    id: path,
    seriesUid,
    title: named || seriesTitle(instance),
    modality: text(instance, tags.modality),
    ...kind,
    instance,
    path,
  };
}

function seriesTitle(instance: DataSet): string {
  return text(instance, tags.seriesDescription) || `Series ${text(instance, tags.seriesNumber)}`.trim();
}

function frameRate(instance: DataSet): number {
  const frameTime = number(instance, tags.frameTime) ?? 0;
  const rate =
    number(instance, tags.recommendedDisplayFrameRate) ??
    number(instance, tags.cineRate) ??
    (frameTime > 0 ? 1000 / frameTime : usualRate);
  return Math.min(60, Math.max(1, Math.round(rate)));
}

/**
 * A spatial series goes by position, in the direction that the instance numbers run; anything else by instance number.
 * Numbers alone mislead where a scanner numbered several acquisitions through each other.
 */
function inOrder(instances: readonly DataSet[]): readonly DataSet[] {
  const byNumber = [...instances].sort((one, other) => numberOf(one) - numberOf(other));
  const depths = byNumber.map(depth);
  if (byNumber.length < 3 || !isOneDirection(byNumber) || new Set(depths).size !== depths.length) return byNumber;
  const known = byNumber.map((instance, index) => ({ instance, depth: depths[index] ?? Number.NaN }));
  if (known.some((each) => Number.isNaN(each.depth))) return byNumber;
  const way = trend(known.map((each) => each.depth)) < 0 ? -1 : 1;
  return known.sort((one, other) => way * (one.depth - other.depth)).map((each) => each.instance);
}

function numberOf(instance: DataSet): number {
  return number(instance, tags.instanceNumber) ?? 0;
}

function isOneDirection(instances: readonly DataSet[]): boolean {
  const first = numbers(instances[0], tags.imageOrientation);
  return (
    first.length === 6 &&
    instances.every((each) =>
      numbers(each, tags.imageOrientation).every((part, axis) => Math.abs(part - (first[axis] ?? 0)) < 1e-3),
    )
  );
}

/** Millimetres along the normal of the image plane, or NaN where the position is not given. */
export function depth(instance: DataSet): number {
  const normal = planeNormal(numbers(instance, tags.imageOrientation));
  const position = numbers(instance, tags.imagePosition);
  if (normal === undefined || position.length !== 3) return Number.NaN;
  return normal.reduce((sum, part, axis) => sum + part * (position[axis] ?? 0), 0);
}

function planeNormal(orientation: readonly number[]): readonly number[] | undefined {
  const [ax, ay, az, bx, by, bz] = orientation;
  if (
    ax === undefined ||
    ay === undefined ||
    az === undefined ||
    bx === undefined ||
    by === undefined ||
    bz === undefined
  )
    return undefined;
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}

/** Which way a list mostly runs: positive is up. */
function trend(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  return values.reduce((sum, value, index) => sum + value * (index - middle), 0);
}

/** Bytes of one decoded image, for what is kept in memory. */
export function decodedBytes(instance: DataSet): number {
  const samples =
    text(instance, tags.photometricInterpretation) === "PALETTE COLOR"
      ? 3
      : (number(instance, tags.samplesPerPixel) ?? 1);
  const bytes = (number(instance, tags.bitsAllocated) ?? 16) > 8 ? 2 : 1;
  return (number(instance, tags.rows) ?? 0) * (number(instance, tags.columns) ?? 0) * samples * bytes;
}
