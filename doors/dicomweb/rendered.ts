import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import { encodingOf, Tag } from "#formats/dicom";
import { encodePicture, type PictureFormat } from "#imaging/pictures";
import type { HeldImage } from "#radiology/archive";
import { displayOf, frameBytes, type ImageCache, type ImageObject } from "#radiology/images";
import { sendRanged } from "./answer-stream.ts";
import { frameNumbers } from "./frames.ts";
import { preferred } from "./media-types.ts";
import type { DicomwebParts } from "./parts.ts";
import { notAcceptable } from "./refusal.ts";
import { parseRendered, type RenderedQuery } from "./rendered-query.ts";
import { acceptOf, parametersOf, targetOf } from "./request.ts";

const jpeg = "image/jpeg";
const png = "image/png";
const pdf = "application/pdf";
const representativeFrame = 0x00286010;

const thumbnailSideMax = 256;
const thumbnailQuality = 80;
const thumbnailsBytesMax = 32 * 1024 * 1024;

/** Retrieve Rendered (PS3.18 §10.4.1.1.3): one picture, JPEG or PNG; of an encapsulated PDF the document. */
export function renderedHandler(parts: DicomwebParts, cache: ImageCache) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const query = parseRendered(parametersOf(request));
    const accept = acceptOf(request);
    const { instance, frameNumber } = await shownOf(parts, request);
    const document = await documentOf(instance, cache);
    if (document !== undefined) {
      if (preferred(accept, [pdf]) === undefined) throw notAcceptable([pdf]);
      reply.header("content-disposition", "inline");
      return sendRanged(
        request,
        reply,
        { type: pdf, length: document.length, pieces: instance.whileLive(once(document)) },
        parts.log,
      );
    }
    const type = preferred(accept, [jpeg, png]);
    if (type !== jpeg && type !== png) throw notAcceptable([jpeg, png]);
    const image = await cache.image(instance);
    const number = frameNumber ?? representative(image);
    const picture = await render(parts, image, number, query, { type, quality: query.quality });
    return sendRanged(
      request,
      reply,
      { type, length: picture.length, pieces: instance.whileLive(once(picture)) },
      parts.log,
    );
  };
}

/** Retrieve Thumbnail (PS3.18 §10.4.1.1.7): a small JPEG, kept in memory for the next who looks at the same list. */
export function thumbnailHandler(parts: DicomwebParts, cache: ImageCache) {
  const kept = createThumbnails();
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { viewport } = parseRendered(parametersOf(request));
    if (preferred(acceptOf(request), [jpeg]) === undefined) throw notAcceptable([jpeg]);
    const { instance, frameNumber } = await shownOf(parts, request);
    const side = Math.min(thumbnailSideMax, viewport?.width ?? thumbnailSideMax, viewport?.height ?? thumbnailSideMax);
    const key = `${instance.id} ${frameNumber ?? ""} ${side}`;
    let picture = kept.get(key);
    if (picture === undefined) {
      const image = await cache.image(instance);
      const { rows, columns } = image.image;
      const small = { width: Math.min(side, columns), height: Math.min(side, rows) };
      const query = { window: undefined, viewport: small, quality: thumbnailQuality };
      const number = frameNumber ?? representative(image);
      picture = await render(parts, image, number, query, { type: jpeg, quality: thumbnailQuality });
      kept.put(key, picture);
    }
    return sendRanged(
      request,
      reply,
      { type: jpeg, length: picture.length, pieces: instance.whileLive(once(picture)) },
      parts.log,
    );
  };
}

/**
 * The instance and frame to show: those of the path; of a study its first series with pictures, of a series its middle
 * instance, which shows more of what it is about than the first.
 */
async function shownOf(
  parts: DicomwebParts,
  request: FastifyRequest,
): Promise<{ instance: HeldImage; frameNumber: number | undefined }> {
  const { frames } = request.params as { frames?: string };
  const numbers = frames === undefined ? [] : frameNumbers(frames);
  if (numbers.length > 1) throw new Problem("invalid", "one frame is rendered at a time");
  const all = await parts.archive.images(parts.actorOf(request), targetOf(request));
  const pictures = all.filter((each) => each.pixelOffset !== undefined || encodingOf(each.transferSyntaxUid).deflated);
  const { seriesId } = pictures[0] ?? {};
  const series = pictures.filter((each) => each.seriesId === seriesId);
  const instance = series[series.length >> 1] ?? all[0];
  if (instance === undefined) throw new Problem("absent", "not found");
  return { instance, frameNumber: numbers[0] };
}

const encapsulatedPdf = "1.2.840.10008.5.1.4.1.1.104.1";

/** The document of an Encapsulated PDF (PS3.3 §A.45.1), without the byte that made its length even. */
async function documentOf(instance: HeldImage, cache: ImageCache): Promise<Uint8Array | undefined> {
  if (instance.sopClassUid !== encapsulatedPdf) return undefined;
  const { dataSet } = await cache.header(instance);
  const bytes = dataSet.bytes(Tag.EncapsulatedDocument);
  if (bytes === undefined) throw new Problem("absent", "the instance holds no document");
  const length = dataSet.number(0x00420015);
  return length !== undefined && length > 0 && length <= bytes.length ? bytes.subarray(0, length) : bytes;
}

function representative({ dataSet, frames }: ImageObject): number {
  const number = dataSet.number(representativeFrame) ?? 1;
  return Number.isInteger(number) && number >= 1 && number <= frames.length ? number : 1;
}

async function render(
  { pixels }: DicomwebParts,
  image: ImageObject,
  number: number,
  { window, viewport }: RenderedQuery,
  format: PictureFormat,
): Promise<Uint8Array> {
  const frame = image.frames[number - 1];
  if (frame === undefined) throw new Problem("absent", "the instance has no such frame");
  const float = image.pixelTag === Tag.FloatPixelData || image.pixelTag === Tag.DoubleFloatPixelData;
  const picture = await pixels.renderFrame({
    frame: await frameBytes(image, frame),
    image: { ...image.image, bitOffset: frame.firstBit },
    attributes: displayOf(image.dataSet, number - 1, float),
    options: { window, viewport },
  });
  return encodePicture(picture, format);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The pictures used last, in memory only. */
function createThumbnails() {
  const kept = new Map<string, Uint8Array>();
  let size = 0;
  return {
    get(key: string): Uint8Array | undefined {
      const picture = kept.get(key);
      if (picture !== undefined) {
        kept.delete(key);
        kept.set(key, picture);
      }
      return picture;
    },
    put(key: string, picture: Uint8Array): void {
      size += picture.length - (kept.get(key)?.length ?? 0);
      kept.set(key, picture);
      for (const [oldest, { length }] of kept) {
        if (size <= thumbnailsBytesMax) break;
        kept.delete(oldest);
        size -= length;
      }
    },
  };
}
