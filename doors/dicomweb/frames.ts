import type { FastifyReply, FastifyRequest } from "fastify";
import { isProblem, Problem } from "#base/problem";
import type { FrameLocation } from "#formats/dicom";
import { codecFamily, packBits } from "#imaging/codecs";
import { frameBytes, type ImageCache, type ImageObject, type PixelWork } from "#radiology/images";
import { sendRanged } from "./answer-stream.ts";
import { type FrameForm, frameForm, octetStream } from "./frame-types.ts";
import { type AnswerPart, multipartOf } from "./multipart-writer.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { notAcceptable } from "./refusal.ts";
import { acceptOf, oneImage, targetOf } from "./request.ts";
import { instanceUrl } from "./search-results.ts";

/** A list of frames in one request; a viewer asks for one. */
const framesAskedMax = 5_000;

/** Retrieve Frames (PS3.18 §10.4.1.1.6): frames as they are stored, or decoded. A single frame can be had by ranges. */
export function framesHandler(parts: DicomwebParts, cache: ImageCache) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { frames: list } = request.params as { frames: string };
    const numbers = frameNumbers(list);
    const instance = await oneImage(parts, request);
    const form = frameForm(
      acceptOf(request),
      instance.transferSyntaxUid,
      codecFamily(instance.transferSyntaxUid) !== undefined,
      parts.transcoder.offered(instance),
    );
    if (form === undefined) throw notAcceptable(['multipart/related; type="application/octet-stream"']);
    const image = await cache.image(instance);
    const { studyUid, seriesUid = "", sopUid = "" } = targetOf(request);
    const at = instanceUrl(publicRoot(request, parts.root, parts.trustForwarded ?? false), studyUid, seriesUid, sopUid);
    const answers: AnswerPart[] = [];
    for (const number of numbers) {
      const frame = image.frames[number - 1];
      if (frame === undefined) throw noSuchFrame();
      const answer = await frameAnswer(image, frame, form, parts.pixels, numbers.length === 1);
      answers.push({
        ...answer,
        pieces: instance.whileLive(answer.pieces),
        location: `${at}/frames/${number}`,
      });
    }
    const [only] = answers;
    if (only !== undefined && numbers.length === 1 && !form.multipart)
      return sendRanged(request, reply, only, parts.log);
    return sendRanged(
      request,
      reply,
      multipartOf(form.mediaType, `${instance.id} ${list} ${form.type}`, answers),
      parts.log,
    );
  };
}

/** "1,3,5" (PS3.18 §10.4.1.1.6). Throws Problem `invalid` for what is no list of numbers from 1 on. */
export function frameNumbers(list: string): number[] {
  const texts = list.split(",");
  if (texts.length > framesAskedMax || texts.some((text) => !/^[1-9][0-9]{0,8}$/.test(text.trim()))) {
    throw new Problem("invalid", "the list of frames cannot be read", {
      remedy: `name up to ${framesAskedMax} frames, counted from 1, separated by commas`,
    });
  }
  return texts.map(Number);
}

function noSuchFrame(): Problem {
  return new Problem("absent", "the instance has no such frame", {
    remedy: "Number of Frames says how many there are",
  });
}

/** `now`: decode before answering, so that the length is known; otherwise when its turn comes. */
async function frameAnswer(
  image: ImageObject,
  frame: FrameLocation,
  form: FrameForm,
  pixels: PixelWork,
  now: boolean,
): Promise<AnswerPart> {
  if (form.bytes === "stored" && frame.firstBit === 0) {
    const length = frame.ranges.reduce((sum, range) => sum + range.length, 0);
    return { type: form.type, length, pieces: storedPieces(image, frame) };
  }
  const make = () => {
    if (form.bytes === "stored") return bitFrame(image, frame);
    if (form.bytes === "decoded") return decodedFrame(image, frame, pixels);
    return recodedFrame(image, frame, form.bytes.recodedFor, pixels);
  };
  if (!now) return { type: form.type, pieces: later(make) };
  const bytes = await make();
  return { type: form.type, length: bytes.length, pieces: later(async () => bytes) };
}

async function* storedPieces(image: ImageObject, { ranges }: FrameLocation): AsyncGenerator<Uint8Array> {
  for (const { offset, length } of ranges) yield* image.object.stream(offset, offset + length);
}

async function* later(make: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await make();
}

/** A frame of single bits that begins inside a byte, moved to its beginning. */
async function bitFrame(image: ImageObject, frame: FrameLocation): Promise<Uint8Array> {
  const bytes = await frameBytes(image, frame);
  const { rows, columns, samplesPerPixel } = image.image;
  const bits = new Uint8Array(rows * columns * samplesPerPixel);
  for (let at = 0; at < bits.length; at++) {
    const from = at + frame.firstBit;
    bits[at] = ((bytes[from >> 3] ?? 0) >> (from & 7)) & 1;
  }
  return packBits(bits);
}

async function decodedFrame(image: ImageObject, frame: FrameLocation, pixels: PixelWork): Promise<Uint8Array> {
  const description = { ...image.image, bitOffset: frame.firstBit };
  const decoded = await pixels.decodeFrame(await frameBytes(image, frame), description);
  return image.image.bitsAllocated === 1 ? packBits(decoded.pixels) : decoded.pixels;
}

/** Samples that do not fit the codec are refused as a type that is not offered. */
async function recodedFrame(
  image: ImageObject,
  frame: FrameLocation,
  transferSyntaxUid: string,
  pixels: PixelWork,
): Promise<Uint8Array> {
  const description = { ...image.image, bitOffset: frame.firstBit };
  try {
    return (await pixels.recodeFrame(await frameBytes(image, frame), description, transferSyntaxUid)).bytes;
  } catch (error) {
    throw isProblem(error, "unsupported") ? notAcceptable([octetStream]) : error;
  }
}
