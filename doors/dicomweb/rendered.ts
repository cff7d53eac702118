import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import { encodingOf } from "#formats/dicom";
import type { HeldImage } from "#radiology/archive";
import { once, sendRanged } from "./answer-stream.ts";
import { documentOf } from "./documents.ts";
import { frameNumbers } from "./frames.ts";
import { preferred } from "./media-types.ts";
import { jpeg, pictureFile, pictureTypes, type ShowingParts, showableOf } from "./pictures.ts";
import { notAcceptable } from "./refusal.ts";
import { parseRendered } from "./rendered-query.ts";
import { acceptOf, parametersOf, targetOf } from "./request.ts";

const thumbnailSideMax = 256;
const thumbnailQuality = 80;
const thumbnailsBytesMax = 32 * 1024 * 1024;

/**
 * Retrieve Rendered (PS3.18 §10.4.1.1.3): a picture; of several frames a moving one where that is asked for; of a presentation state its
 * image; of an encapsulated document that; of a report its text. Video is not made: no encoder that may be given on with this.
 */
export function renderedHandler(parts: ShowingParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const query = parseRendered(parametersOf(request));
    const accept = acceptOf(request);
    const { instance, frameNumber } = await shownOf(parts, request);
    const send = (type: string, bytes: Uint8Array) =>
      sendRanged(request, reply, { type, length: bytes.length, pieces: instance.whileLive(once(bytes)) }, parts.log);
    const document = await documentOf(instance, parts.cache, accept);
    if (document !== undefined) {
      reply.headers(document.headers);
      return send(document.type, document.bytes);
    }
    const type = preferred(accept, pictureTypes);
    if (type === undefined) throw notAcceptable(pictureTypes);
    if (query.wantsAnnotation) reply.header("warning", '299 - "annotation is not drawn into pictures"');
    const { studyUid } = targetOf(request);
    const shown = await showableOf(parts, { actor: parts.actorOf(request), studyUid }, instance);
    const { window, viewport, quality } = query;
    return send(type, await pictureFile(parts, shown, frameNumber, { window, viewport }, { type, quality }));
  };
}

/** Retrieve Thumbnail (PS3.18 §10.4.1.1.7): a small JPEG, kept in memory for the next who looks at the same list. */
export function thumbnailHandler(parts: ShowingParts) {
  const kept = createThumbnails();
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { viewport } = parseRendered(parametersOf(request));
    if (preferred(acceptOf(request), [jpeg]) === undefined) throw notAcceptable([jpeg]);
    const { instance, frameNumber } = await shownOf(parts, request);
    const side = Math.min(thumbnailSideMax, viewport?.width ?? thumbnailSideMax, viewport?.height ?? thumbnailSideMax);
    const key = `${instance.id} ${instance.sees} ${frameNumber ?? ""} ${side}`;
    let picture = kept.get(key);
    if (picture === undefined) {
      const { studyUid } = targetOf(request);
      const shown = await showableOf(parts, { actor: parts.actorOf(request), studyUid, small: true }, instance);
      const { rows, columns } = shown.image.image;
      const small = { width: Math.min(side, columns), height: Math.min(side, rows) };
      const form = { type: jpeg, quality: thumbnailQuality } as const;
      picture = await pictureFile(parts, shown, frameNumber, { viewport: small }, form);
      // What a presentation state shows belongs to another instance, whose access is asked for each time.
      if (shown.instance === instance) kept.put(key, picture);
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
  parts: Pick<ShowingParts, "archive" | "actorOf">,
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
