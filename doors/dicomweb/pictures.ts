import { Problem } from "#base/problem";
import { type DataSet, Tag, tagOf } from "#formats/dicom";
import { encodeAnimation, type PictureEncoder } from "#imaging/pictures";
import type { DisplayAttributes, Picture, RenderOptions } from "#imaging/rendering";
import type { HeldImage, ReadTarget } from "#radiology/archive";
import {
  displayOf,
  frameBytes,
  hasOverlayData,
  type ImageCache,
  type ImageObject,
  isPresentationState,
  overlaysOf,
  presentedBy,
  readHeader,
  referredImage,
} from "#radiology/images";
import type { Actor } from "#trust/access";
import type { DicomwebParts } from "./parts.ts";

/** What it takes to show instances. */
export interface ShowingParts extends DicomwebParts {
  readonly cache: ImageCache;
  readonly encodePicture: PictureEncoder;
}

/** What can be shown of an instance: an image, and how it is to be shown. */
export interface Showable {
  readonly instance: HeldImage;
  readonly image: ImageObject;
  /** Of a frame, counted from 1. */
  attributesOf(frameNumber: number): DisplayAttributes;
  /** The frame to show where none is named. */
  readonly frameNumber: number;
}

const referenced = { frame: tagOf("RepresentativeFrameNumber"), time: tagOf("FrameTime") } as const;

interface Looker {
  readonly actor: Actor;
  readonly studyUid: string;
  /** Of the instance, where a presentation state is named beside it. */
  readonly sopUid?: string;
  /** Overlays are not drawn into small pictures, which many look at. */
  readonly small?: boolean;
}

/**
 * An image as it is, or as a presentation state has it: one that was named (`by`), or the instance itself, whose image is then looked
 * for; the gate is asked for either.
 */
export async function showableOf(
  parts: ShowingParts,
  looker: Looker,
  instance: HeldImage,
  by?: Required<ReadTarget>,
): Promise<Showable> {
  const { cache } = parts;
  if (by !== undefined) {
    const [state] = await parts.archive.images(looker.actor, by);
    if (state === undefined || !isPresentationState(state.sopClassUid)) throw noState();
    return presented((await cache.header(state)).dataSet, instance, looker.sopUid, cache);
  }
  if (!isPresentationState(instance.sopClassUid)) {
    const image = await cache.image(instance);
    return shownAsIs(instance, image, looker.small ? undefined : await drawnOver(instance, image));
  }
  const { dataSet: state } = await cache.header(instance);
  const { seriesUid, sopUid } = referredImage(state) ?? {};
  if (seriesUid === undefined || sopUid === undefined) throw noState();
  const [found] = await parts.archive.images(looker.actor, { studyUid: looker.studyUid, seriesUid, sopUid });
  if (found === undefined) throw new Problem("absent", "the image of the presentation state is not here");
  return presented(state, found, sopUid, cache);
}

const noState = () => new Problem("absent", "no such presentation state, or one that refers to no image");

async function presented(
  state: DataSet,
  instance: HeldImage,
  sopUid: string | undefined,
  cache: ImageCache,
): Promise<Showable> {
  const image = await cache.image(instance);
  const drawn = await drawnOver(instance, image);
  const plain = shownAsIs(instance, image, undefined);
  const first = referredImage(state);
  if (first === undefined) throw noState();
  const by = { ...first, sopUid: sopUid ?? first.sopUid };
  return {
    ...plain,
    frameNumber: by.frameNumber ?? plain.frameNumber,
    attributesOf: (frameNumber) =>
      presentedBy(state, drawn ?? image.dataSet, plain.attributesOf(frameNumber), { ...by, frameNumber }),
  };
}

/**
 * What has the overlays of an image, for who sees identity: what is written in them is not looked at, and their bits stand among what
 * identifies.
 */
async function drawnOver(instance: HeldImage, { dataSet }: ImageObject): Promise<DataSet | undefined> {
  if (instance.sees === "masked") return undefined;
  if (!hasOverlayData(dataSet)) return dataSet;
  return (await readHeader({ ...instance, open: instance.openWhole })).dataSet;
}

function shownAsIs(instance: HeldImage, image: ImageObject, drawn: DataSet | undefined): Showable {
  const { dataSet, pixelTag, frames } = image;
  const float = pixelTag === Tag.FloatPixelData || pixelTag === Tag.DoubleFloatPixelData;
  const number = dataSet.number(referenced.frame) ?? 1;
  return {
    instance,
    image,
    attributesOf: (frameNumber) => ({
      ...displayOf(dataSet, frameNumber - 1, float),
      overlays: drawn && overlaysOf(drawn, frameNumber - 1, () => true),
    }),
    frameNumber: Number.isInteger(number) && number >= 1 && number <= frames.length ? number : 1,
  };
}

/** One frame, counted from 1, as a picture. */
export async function pictureOf(
  { pixels }: Pick<DicomwebParts, "pixels">,
  shown: Showable,
  frameNumber: number,
  options: RenderOptions,
): Promise<Picture> {
  const { image } = shown;
  const frame = image.frames[frameNumber - 1];
  if (frame === undefined) throw new Problem("absent", "the instance has no such frame");
  return pixels.renderFrame({
    frame: await frameBytes(image, frame),
    image: { ...image.image, bitOffset: frame.firstBit },
    attributes: shown.attributesOf(frameNumber),
    options,
  });
}

export const jpeg = "image/jpeg";
export const png = "image/png";
export const gif = "image/gif";
/** What a frame can be had as; of several frames a moving picture. */
export const pictureTypes = [jpeg, png, gif] as const;

const animationFramesMax = 600;
const animationPixelsMax = 48 * 1024 * 1024;
/** Where the data set does not say how long a frame is shown. */
const frameMsUsual = 100;

/** The picture as a file; frames that were not named move, as GIF only. */
export async function pictureFile(
  parts: Pick<ShowingParts, "pixels" | "encodePicture">,
  shown: Showable,
  frameNumber: number | undefined,
  options: RenderOptions,
  { type, quality }: { readonly type: (typeof pictureTypes)[number]; readonly quality?: number | undefined },
): Promise<Uint8Array> {
  const { frames, dataSet } = shown.image;
  if (type === gif && frameNumber === undefined && frames.length > 1) {
    return moving(parts, shown, options, dataSet.number(referenced.time) ?? frameMsUsual);
  }
  const picture = await pictureOf(parts, shown, frameNumber ?? shown.frameNumber, options);
  return type === gif ? encodeAnimation([picture], frameMsUsual) : parts.encodePicture(picture, { type, quality });
}

async function moving(
  parts: Pick<DicomwebParts, "pixels">,
  shown: Showable,
  options: RenderOptions,
  frameMs: number,
): Promise<Uint8Array> {
  const count = shown.image.frames.length;
  const pictures: Picture[] = [];
  let pixels = 0;
  for (let number = 1; number <= count; number++) {
    const picture = await pictureOf(parts, shown, number, options);
    pixels += picture.pixels.length;
    if (count > animationFramesMax || pixels > animationPixelsMax) {
      throw new Problem("too-large", "the moving picture would be too large", {
        remedy: `ask for a smaller viewport, or for one frame; up to ${animationFramesMax} frames move`,
      });
    }
    pictures.push(picture);
  }
  return encodeAnimation(pictures, frameMs);
}
