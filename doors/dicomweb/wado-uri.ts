import type { FastifyReply, FastifyRequest } from "fastify";
import { isProblem, Problem } from "#base/problem";
import { isUid, TransferSyntaxUid } from "#formats/dicom";
import type { RenderOptions, Viewport, Window } from "#imaging/rendering";
import type { HeldImage, ReadTarget } from "#radiology/archive";
import { once, sendStream } from "./answer-stream.ts";
import { documentOf } from "./documents.ts";
import { type Acceptable, parseAccept, preferred } from "./media-types.ts";
import type { DicomwebParts } from "./parts.ts";
import { jpeg, pictureFile, pictureTypes, type Showable, type ShowingParts, showableOf } from "./pictures.ts";
import { notAcceptable } from "./refusal.ts";
import { boundedWindow, numberOf, pictureSideMax, qualityOf, requirePictureSize } from "./rendered-query.ts";
import { parametersOf } from "./request.ts";

const dicom = "application/dicom";

interface WadoQuery {
  readonly target: Required<ReadTarget>;
  readonly accept: readonly Acceptable[] | undefined;
  readonly transferSyntaxUid: string | undefined;
  readonly frameNumber: number | undefined;
  readonly quality: number | undefined;
  readonly window: Window | undefined;
  readonly rows: number | undefined;
  readonly columns: number | undefined;
  /** Left, top, right and bottom as shares of the image. */
  readonly region: readonly [number, number, number, number] | undefined;
  readonly presentation: Required<ReadTarget> | undefined;
}

/**
 * WADO-URI (PS3.18 §9): one instance by its UIDs in the query, as a file in any transfer syntax offered, or rendered. Without a content
 * type an image of one frame, or one frame, is a JPEG, a report or document is what it is rendered to, all else the instance.
 */
export function wadoUriHandler(parts: ShowingParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const query = parseWado(parametersOf(request));
    const accept = query.accept ?? parseAccept(request.headers.accept);
    const first = preferred(accept, [...pictureTypes, "text/html", "text/plain", "application/pdf", dicom]);
    if (first === dicom) return sendInstance(parts, request, reply, query);
    const [instance] = await parts.archive.images(parts.actorOf(request), query.target);
    if (instance === undefined) throw new Problem("absent", "not found");
    const made = await renderedOf(parts, request, instance, query, accept);
    if (made === undefined) return sendInstance(parts, request, reply, query);
    const { type, bytes, headers = {} } = made;
    reply.headers(headers);
    const pieces = instance.whileLive(once(bytes));
    return sendStream(request, reply, { type, length: bytes.length, pieces }, parts.log);
  };
}

/** Undefined for what has nothing to look at, where anything is taken. */
async function renderedOf(
  parts: ShowingParts,
  request: FastifyRequest,
  instance: HeldImage,
  query: WadoQuery,
  accept: readonly Acceptable[],
): Promise<{ type: string; bytes: Uint8Array; headers?: Readonly<Record<string, string>> } | undefined> {
  const document = await documentOf(instance, parts.cache, accept);
  if (document !== undefined) return document;
  const takesInstance = preferred(accept, [dicom]) !== undefined;
  if (instance.pixelOffset === undefined && query.presentation === undefined && takesInstance) return undefined;
  const type = preferred(accept, pictureTypes);
  if (type === undefined) throw notAcceptable([...pictureTypes, dicom]);
  const looker = { actor: parts.actorOf(request), studyUid: query.target.studyUid, sopUid: query.target.sopUid };
  const shown = await showableOf(parts, looker, instance, query.presentation);
  // Whoever takes anything is not given one frame of many for the whole.
  const isWhole = shown.image.frames.length > 1 && query.frameNumber === undefined;
  if (isWhole && takesInstance && type === jpeg) return undefined;
  const options: RenderOptions = { window: query.window, viewport: viewportOf(query, shown) };
  const bytes = await pictureFile(parts, shown, query.frameNumber, options, { type, quality: query.quality });
  return { type, bytes };
}

async function sendInstance(
  parts: DicomwebParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { target, transferSyntaxUid }: WadoQuery,
): Promise<FastifyReply> {
  const [instance] = await parts.archive.read(parts.actorOf(request), target);
  if (instance === undefined) throw new Problem("absent", "not found");
  const possible = parts.transcoder.offered(instance);
  const explicit = TransferSyntaxUid.explicitLittleEndian;
  const usual = possible.includes(explicit) ? explicit : instance.transferSyntaxUid;
  const to = transferSyntaxUid === "*" ? instance.transferSyntaxUid : (transferSyntaxUid ?? usual);
  if (!possible.includes(to)) throw notAcceptable(possible.map((uid) => `transferSyntax=${uid}`));
  reply.header("content-disposition", "attachment");
  const body = { type: `${dicom}; transfer-syntax=${to}`, pieces: parts.transcoder.file(instance, to) };
  try {
    return await sendStream(request, reply, body, parts.log);
  } catch (error) {
    throw isProblem(error, "unsupported") ? notAcceptable([`transferSyntax=${explicit}`]) : error;
  }
}

/** Throws Problem `invalid` for what is missing, out of bounds or cannot be read, `unsupported` for what is not done here. */
function parseWado(parameters: URLSearchParams): WadoQuery {
  const value = (name: string) => parameters.get(name)?.trim() || undefined;
  if (value("requestType")?.toUpperCase() !== "WADO") throw refused("requestType is WADO");
  if (value("anonymize") !== undefined) {
    throw new Problem("unsupported", "instances are not made anonymous on the way", {
      remedy: "ask without anonymize",
    });
  }
  const target = targetOf(value("studyUID"), value("seriesUID"), value("objectUID"));
  if (target === undefined) throw refused("studyUID, seriesUID and objectUID name one instance");
  const presentation = value("presentationUID");
  const contentType = value("contentType");
  const frame = value("frameNumber");
  if (frame !== undefined && !/^[1-9][0-9]{0,8}$/.test(frame)) throw refused("frameNumber counts from 1");
  const transferSyntaxUid = value("transferSyntax");
  if (transferSyntaxUid !== undefined && transferSyntaxUid !== "*" && !isUid(transferSyntaxUid)) {
    throw refused("transferSyntax is a UID");
  }
  const presented = presentation && targetOf(target.studyUid, value("presentationSeriesUID"), presentation);
  if (presented === undefined && presentation !== undefined)
    throw refused("a presentation state is named with its series");
  return {
    target,
    accept: contentType === undefined ? undefined : parseAccept(contentType),
    transferSyntaxUid,
    frameNumber: frame === undefined ? undefined : Number(frame),
    quality: qualityOf(value("imageQuality") ?? null),
    window: windowOf(value("windowCenter"), value("windowWidth")),
    rows: sideOf(value("rows")),
    columns: sideOf(value("columns")),
    region: regionOf(value("region")),
    presentation: presented || undefined,
  };
}

function targetOf(studyUid?: string, seriesUid?: string, sopUid?: string): Required<ReadTarget> | undefined {
  if (studyUid === undefined || seriesUid === undefined || sopUid === undefined) return undefined;
  if (![studyUid, seriesUid, sopUid].every(isUid)) throw refused("a UID that is none");
  return { studyUid, seriesUid, sopUid };
}

function windowOf(center: string | undefined, width: string | undefined): Window | undefined {
  if (center === undefined && width === undefined) return undefined;
  if (center === undefined || width === undefined) throw refused("windowCenter and windowWidth go together");
  return boundedWindow(numberOf(center), numberOf(width), "LINEAR");
}

function sideOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > pictureSideMax)
    throw refused(`a side is up to ${pictureSideMax} pixels`);
  return Number(text);
}

function regionOf(text: string | undefined): WadoQuery["region"] {
  if (text === undefined) return undefined;
  const shares = text.split(",").map((each) => numberOf(each.trim()));
  const [left, top, right, bottom] = shares;
  if (shares.length !== 4 || left === undefined || top === undefined || right === undefined || bottom === undefined) {
    throw refused("region is left,top,right,bottom");
  }
  if (!(left >= 0 && top >= 0 && left < right && top < bottom && right <= 1 && bottom <= 1)) {
    throw refused("region is within 0,0,1,1");
  }
  return [left, top, right, bottom];
}

function viewportOf({ rows, columns, region }: WadoQuery, { image }: Showable): Viewport | undefined {
  if (rows === undefined && columns === undefined && region === undefined) return undefined;
  const { rows: height, columns: width } = image.image;
  const [left, top, right, bottom] = region ?? [0, 0, 1, 1];
  const [sx, sy] = [Math.floor(left * width), Math.floor(top * height)];
  const [sw, sh] = [Math.max(1, Math.ceil(right * width) - sx), Math.max(1, Math.ceil(bottom * height) - sy)];
  // A side that is not asked for follows from the other, whose proportions are kept.
  const [across, down] = [
    columns ?? (rows === undefined ? sw : pictureSideMax),
    rows ?? (columns === undefined ? sh : pictureSideMax),
  ];
  requirePictureSize(Math.min(across, Math.ceil((down * sw) / sh)), Math.min(down, Math.ceil((across * sh) / sw)));
  return { width: across, height: down, sx, sy, sw, sh };
}

function refused(what: string): Problem {
  return new Problem("invalid", what, { remedy: "see PS3.18 §9.1 for the parameters of WADO-URI" });
}
