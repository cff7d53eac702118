import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import { type ByteRange, type DataSet, elementAtPath, encodingOf, hexOfTag, Tag, vrTable } from "#formats/dicom";
import { type CurrentInstance, currentOf } from "#radiology/archive";
import { imageOf, type ObjectHeader, readHeader, swapped, swapUnit } from "#radiology/images";
import { once, sendRanged } from "./answer-stream.ts";
import { encapsulatedPdf, pdf, pdfOf } from "./documents.ts";
import { octetStream, storedMediaTypes } from "./frame-types.ts";
import { type Acceptable, covers } from "./media-types.ts";
import { type AnswerPart, multipartOf } from "./multipart-writer.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { notAcceptable } from "./refusal.ts";
import { acceptOf, oneInstance } from "./request.ts";
import { instanceUrl } from "./search-results.ts";

/** Tags and items' numbers, as the metadata writes them: `00400275/1/00321060`. */
const pathPattern = /^[0-9A-Fa-f]{8}(\/[1-9][0-9]{0,8}\/[0-9A-Fa-f]{8}){0,64}$/;
const swapAtOnce = 256 * 1024;
/** Of one answer, whose parts are all known before the first is sent. */
const partsMax = 20_000;

/**
 * Retrieve Bulkdata (PS3.18 §10.4.1.1.4) for every BulkDataURI in the metadata: the value in little endian; of encapsulated
 * pixel data, each frame in a part of its own as it is stored. Pixels and PDF can be had by their own media types, as OHIF asks for video
 * and documents.
 */
export function bulkDataHandler(parts: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { "*": path = "" } = request.params as { "*"?: string };
    if (!pathPattern.test(path)) throw noSuchValue();
    const accept = acceptOf(request);
    const instance = await currentOf(await oneInstance(parts, request));
    const header = await readHeader(instance);
    const { mediaType, isMultipart } = formOf(accept, ownTypes(instance, header, path));
    const { studyUid, seriesUid, sopUid } = instance;
    const root = publicRoot(request, parts.root, parts.trustForwarded ?? false);
    const location = `${instanceUrl(root, studyUid, seriesUid, sopUid)}/bulkdata/${path}`;
    const answers = answersOf(instance, header, path, mediaType).map((answer) => ({ ...answer, location }));
    const [only] = answers;
    if (only !== undefined && answers.length === 1 && !isMultipart) return sendRanged(request, reply, only, parts.log);
    const body = multipartOf(mediaType, `${instance.id} ${path} ${mediaType}`, answers);
    return sendRanged(request, reply, body, parts.log);
  };
}

/** What a value can be had as beside plain bytes: pixels as what they are stored as, a document as what it is. */
function ownTypes(instance: CurrentInstance, header: ObjectHeader, path: string): readonly string[] {
  if (isPixels(header, path)) return storedMediaTypes(instance.transferSyntaxUid);
  const isPdf = instance.sopClassUid === encapsulatedPdf && Number.parseInt(path, 16) === Tag.EncapsulatedDocument;
  return isPdf && path.length === 8 ? [pdf] : [];
}

const isPixels = ({ pixels, pixelTag }: ObjectHeader, path: string): boolean =>
  pixels !== undefined && path.length === 8 && Number.parseInt(path, 16) === pixelTag;

/** The first acceptable way; in parts unless a value was asked for by its own type. */
function formOf(accept: readonly Acceptable[], own: readonly string[]): { mediaType: string; isMultipart: boolean } {
  const offered = [octetStream, ...own];
  for (const { name, parameters } of accept) {
    const isMultipart = name === "multipart/related" || name === "multipart/*" || name === "*/*";
    const type = name === "multipart/related" ? parameters.get("type")?.toLowerCase() : name;
    const wanted = type === undefined || isMultipartAny(type) ? "*/*" : type;
    const mediaType = offered.find((each) => covers(wanted, each));
    if (mediaType !== undefined) return { mediaType, isMultipart };
  }
  throw notAcceptable([`multipart/related; type="${octetStream}"`, ...offered]);
}

const isMultipartAny = (type: string): boolean => type === "multipart/*" || type === "*/*";

function answersOf(instance: CurrentInstance, header: ObjectHeader, path: string, mediaType: string): AnswerPart[] {
  const { pixels, pixelVr, object } = header;
  const { bigEndian } = encodingOf(instance.transferSyntaxUid);
  if (pixels !== undefined && isPixels(header, path)) {
    if ("fragments" in pixels) return fragmentsOf(instance, header, pixels.fragments, mediaType);
    const { offset, length } = pixels.native;
    const unit = bigEndian ? swapUnit(header.dataSet, pixelVr) : 1;
    return [{ type: octetStream, length, pieces: ordered(object, offset, length, unit) }];
  }
  if (mediaType === pdf) {
    const bytes = pdfOf(header.dataSet);
    return [{ type: pdf, length: bytes.length, pieces: once(bytes) }];
  }
  const found = elementAtPath(header.dataSet, path);
  if (found?.element.fragments !== undefined) return [iconOf(instance, found.dataSet, found.element.fragments)];
  const bytes = found?.dataSet.bytesOf(found.element);
  if (found === undefined || bytes === undefined) throw noSuchValue();
  const unit = bigEndian ? vrTable[found.element.vr].unitBytes : 1;
  const value = unit === 1 ? bytes : swapped(bytes, unit);
  return [{ type: octetStream, length: value.length, pieces: once(value) }];
}

/** Encapsulated pixel data inside a sequence is an icon (PS3.3 §F.7): one frame, its fragments put together. */
function iconOf(instance: CurrentInstance, dataSet: DataSet, fragments: readonly ByteRange[]): AnswerPart {
  const bytes = Buffer.concat(fragments.slice(1).map((fragment) => dataSet.range(fragment)));
  const type = `${octetStream}; transfer-syntax=${instance.transferSyntaxUid}`;
  return { type, length: bytes.length, pieces: once(bytes) };
}

/** Each frame in a part of its own; of video, whose frames no table tells apart, the whole. */
function fragmentsOf(
  instance: CurrentInstance,
  header: ObjectHeader,
  fragments: readonly ByteRange[],
  mediaType: string,
): AnswerPart[] {
  const { transferSyntaxUid } = instance;
  const isVideo = encodingOf(transferSyntaxUid).codec === "mpeg";
  const frames = isVideo ? [{ ranges: fragments }] : imageOf(header, transferSyntaxUid).frames;
  if (frames.length > partsMax) {
    throw new Problem("too-large", `the pixel data has more than ${partsMax} frames`, {
      remedy: "retrieve frames by their numbers, or the instance itself",
    });
  }
  return frames.map(({ ranges }) => ({
    type: `${mediaType}; transfer-syntax=${transferSyntaxUid}`,
    length: ranges.reduce((sum, { length }) => sum + length, 0),
    pieces: joined(header.object, ranges),
  }));
}

async function* joined(object: ObjectHeader["object"], ranges: readonly ByteRange[]): AsyncGenerator<Uint8Array> {
  for (const { offset, length } of ranges) yield* object.stream(offset, offset + length);
}

/** A value in pieces, its words turned into little endian where they are not. */
async function* ordered(
  object: ObjectHeader["object"],
  offset: number,
  length: number,
  unit: number,
): AsyncGenerator<Uint8Array> {
  if (unit === 1) {
    yield* object.stream(offset, offset + length);
    return;
  }
  for (let at = 0; at < length; at += swapAtOnce) {
    const end = Math.min(length, at + swapAtOnce);
    yield swapped(await object.read(offset + at, offset + end), unit);
  }
}

function noSuchValue(): Problem {
  return new Problem("absent", "the instance has no such value", {
    remedy: `take the address from the metadata, where a value is left out: …/bulkdata/${hexOfTag(0x7fe00010)}`,
  });
}
