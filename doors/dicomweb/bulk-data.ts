import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import { type ByteRange, type DataSet, elementAtPath, encodingOf, hexOfTag, vrTable } from "#formats/dicom";
import { currentOf, type HeldInstance } from "#radiology/archive";
import { imageOf, type ObjectHeader, readHeader, swapped, swapUnit } from "#radiology/images";
import { once, sendRanged } from "./answer-stream.ts";
import { octetStream } from "./frame-types.ts";
import { covers } from "./media-types.ts";
import { type AnswerPart, multipartOf } from "./multipart-writer.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { notAcceptable } from "./refusal.ts";
import { acceptOf, oneInstance } from "./request.ts";
import { instanceUrl } from "./search-results.ts";

/** Tags and items' numbers, as the metadata writes them: `00400275/1/00321060`. */
const pathPattern = /^[0-9A-Fa-f]{8}(\/[1-9][0-9]{0,8}\/[0-9A-Fa-f]{8}){0,64}$/;
const swapAtOnce = 256 * 1024;

/**
 * Retrieve Bulkdata (PS3.18 §10.4.1.1.4) for every BulkDataURI in the metadata: the value in little endian; of encapsulated
 * pixel data, each frame in a part of its own as it is stored.
 */
export function bulkDataHandler(parts: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { "*": path = "" } = request.params as { "*"?: string };
    if (!pathPattern.test(path)) throw noSuchValue();
    const multipart = isMultipart(request);
    const instance = await currentOf(await oneInstance(parts, request));
    const header = await readHeader(instance);
    const { studyUid, seriesUid, sopUid } = instance;
    const root = publicRoot(request, parts.root, parts.trustForwarded ?? false);
    const location = `${instanceUrl(root, studyUid, seriesUid, sopUid)}/bulkdata/${path}`;
    const answers = answersOf(instance, header, path).map((answer) => ({ ...answer, location }));
    const [only] = answers;
    if (only !== undefined && answers.length === 1 && !multipart) return sendRanged(request, reply, only, parts.log);
    const body = multipartOf(octetStream, `${instance.id} ${path}`, answers);
    return sendRanged(request, reply, body, parts.log);
  };
}

/** Whether parts are wanted: unless a single value was asked for by its own type. */
function isMultipart(request: FastifyRequest): boolean {
  for (const { name, parameters } of acceptOf(request)) {
    if (name === "multipart/related" && covers((parameters.get("type") ?? "*/*").toLowerCase(), octetStream))
      return true;
    if (name === "*/*" || name === "multipart/*") return true;
    if (covers(name, octetStream)) return false;
  }
  throw notAcceptable(['multipart/related; type="application/octet-stream"', octetStream]);
}

function answersOf(instance: HeldInstance, header: ObjectHeader, path: string): AnswerPart[] {
  const { pixels, pixelTag, pixelVr, object } = header;
  const { bigEndian } = encodingOf(instance.transferSyntaxUid);
  if (pixels !== undefined && Number.parseInt(path, 16) === pixelTag && path.length === 8) {
    if ("fragments" in pixels) return framesOf(instance, header);
    const { offset, length } = pixels.native;
    const unit = bigEndian ? swapUnit(header.dataSet, pixelVr) : 1;
    return [{ type: octetStream, length, pieces: ordered(object, offset, length, unit) }];
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
function iconOf(instance: HeldInstance, dataSet: DataSet, fragments: readonly ByteRange[]): AnswerPart {
  const bytes = Buffer.concat(fragments.slice(1).map((fragment) => dataSet.range(fragment)));
  const type = `${octetStream}; transfer-syntax=${instance.transferSyntaxUid}`;
  return { type, length: bytes.length, pieces: once(bytes) };
}

function framesOf(instance: HeldInstance, header: ObjectHeader): AnswerPart[] {
  const { frames, object } = imageOf(header, instance.transferSyntaxUid);
  return frames.map(({ ranges }) => ({
    type: `${octetStream}; transfer-syntax=${instance.transferSyntaxUid}`,
    length: ranges.reduce((sum, { length }) => sum + length, 0),
    pieces: joined(object, ranges),
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
