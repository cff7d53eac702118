import type { FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import { isUid } from "#formats/dicom";
import type { HeldImage, HeldInstance, ReadTarget } from "#radiology/archive";
import { type Acceptable, parseAccept } from "./media-types.ts";
import type { DicomwebParts } from "./parts.ts";

/** The query parameters as they stand in the URL; a bare backslash, as OHIF sends between UIDs, is one. */
export function parametersOf(request: FastifyRequest): URLSearchParams {
  const { url } = request;
  const at = url.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
}

/** What the client accepts: the `accept` query parameter goes before the header (PS3.18 §8.3.3.1). */
export function acceptOf(request: FastifyRequest): Acceptable[] {
  const { headers } = request;
  const parameter = parametersOf(request).getAll("accept").join(",");
  return parseAccept(parameter === "" ? headers.accept : parameter);
}

export interface PathUids {
  readonly study: string;
  readonly series?: string;
  readonly instance?: string;
}

/** The UIDs in the path. Throws Problem `invalid` for what is no UID. */
export function targetOf(request: FastifyRequest): ReadTarget {
  const { study, series, instance } = request.params as PathUids;
  for (const uid of [study, series, instance]) {
    if (uid !== undefined && !isUid(uid)) throw new Problem("invalid", "the path holds what is no UID");
  }
  return {
    studyUid: study,
    ...(series !== undefined && { seriesUid: series }),
    ...(instance !== undefined && { sopUid: instance }),
  };
}

/** The instance that the path names, once the gate has let the caller read it. */
export async function oneInstance(parts: DicomwebParts, request: FastifyRequest): Promise<HeldInstance> {
  const [instance] = await parts.archive.read(parts.actorOf(request), targetOf(request));
  if (instance === undefined) throw new Problem("absent", "not found");
  return instance;
}

/** The same, to look at: without what identifies. */
export async function oneImage(parts: DicomwebParts, request: FastifyRequest): Promise<HeldImage> {
  const [image] = await parts.archive.images(parts.actorOf(request), targetOf(request));
  if (image === undefined) throw new Problem("absent", "not found");
  return image;
}
