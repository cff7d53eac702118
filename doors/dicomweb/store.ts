import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import { createApartMemory } from "./apart-memory.ts";
import { answerFormOf, sendDataSet } from "./data-set-answer.ts";
import { type MediaType, parseMediaType } from "./media-types.ts";
import { createMultipartReader } from "./multipart-reader.ts";
import { createPartIntake, type PartIntake } from "./part-intake.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { Refusal } from "./refusal.ts";
import { parametersOf, targetOf } from "./request.ts";
import { type MetadataForm, storeApart } from "./store-apart.ts";
import { storeResponse, storeStatus } from "./store-outcome.ts";

const silentMsMax = 60_000;
/** For metadata with bulk data apart, which waits in memory: of all uploads together, and of one. */
const apartMemory = { bytesMax: 512 * 1024 * 1024, shareBytesMax: 256 * 1024 * 1024 };
/** After so many parts others have their turn. */
const partsAtOnce = 100;

/** STOW-RS (PS3.18 §10.5): instances stream into the archive as they arrive, however many and however large. */
export function storeHandler(parts: DicomwebParts) {
  const memory = createApartMemory(apartMemory);
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const answerForm = answerFormOf(request);
    const { study } = request.params as { study?: string };
    const studyUid = study === undefined ? undefined : targetOf(request).studyUid;
    const body = bodyOf(request);
    // Our own parameter: where what is sent came from (`leadglass import --facility`).
    const facility = await parts.requireFacility(parametersOf(request).get("facility") ?? "");
    await parts.archive.beginUpload(parts.actorOf(request));
    const receive = () => parts.intake.receiveFile(parts.actorOf(request), facility);
    const intake = createPartIntake(receive, studyUid);
    const bytes = arriving(request, parts.clock);
    const share = memory.open();
    try {
      if (body.form !== "file") await storeApart(bytes, { ...parts, ...body, form: body.form, share, intake });
      else if (body.boundary === undefined) await storeSingle(bytes, intake);
      else await storeParts(bytes, body.boundary, intake, parts.clock);
    } catch (error) {
      await intake.abort();
      throw request.raw.readableAborted ? new Problem("invalid", "the upload was broken off", { cause: error }) : error;
    } finally {
      share.close();
    }
    const { stored, failed, noRoom } = await intake.outcome();
    if (stored.length + failed.length === 0) {
      throw new Problem("invalid", "the body holds no instance", {
        remedy: "send at least one application/dicom part",
      });
    }
    if (stored.length === 0 && noRoom !== undefined) throw noRoom;
    const root = publicRoot(request, parts.root, parts.trustForwarded ?? false);
    reply.status(storeStatus(stored, failed));
    const response = await storeResponse(root, stored, failed, () => parts.clock.sleep(0));
    return sendDataSet(reply, answerForm, response);
  };
}

/** What the headers say a body is. */
interface Body {
  readonly form: "file" | MetadataForm;
  /** Undefined for a body that is no multipart. */
  readonly boundary: string | undefined;
}

const forms: Readonly<Record<string, Body["form"]>> = {
  "application/dicom": "file",
  "application/dicom+json": "json",
  "application/dicom+xml": "xml",
};
const formOf = (type: MediaType | undefined): Body["form"] | undefined =>
  type !== undefined && Object.hasOwn(forms, type.name) ? forms[type.name] : undefined;

function bodyOf(request: FastifyRequest): Body {
  const { headers } = request;
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    throw new Refusal(415, "a compressed body is not taken", "send it without Content-Encoding");
  }
  const type = parseMediaType(headers["content-type"] ?? "");
  const single = formOf(type);
  if (single !== undefined) return { form: single, boundary: undefined };
  const form = formOf(parseMediaType(type?.parameters.get("type") ?? "application/dicom"));
  if (type?.name !== "multipart/related" || form === undefined) {
    throw new Refusal(
      415,
      "only DICOM instances are stored",
      'send multipart/related; type="application/dicom", or application/dicom+json or +xml with bulk data',
    );
  }
  const boundary = type.parameters.get("boundary");
  if (boundary === undefined || boundary === "") {
    throw new Problem("invalid", "the Content-Type names no boundary", { remedy: "see RFC 2046 §5.1.1" });
  }
  return { form, boundary };
}

/**
 * The body as it arrives. A sender that falls silent is cut off: what it began would be held open for ever. When the reading
 * ends early the request stays open for the rest, which the door passes over so that the sender gets its answer.
 */
export async function* arriving({ raw }: FastifyRequest, clock: Clock): AsyncGenerator<Buffer> {
  const pieces: AsyncIterator<Buffer> = raw.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const timer = clock.after(silentMsMax, () => raw.destroy(new Problem("invalid", "the upload fell silent")));
      const step = await pieces.next().finally(() => timer.stop());
      if (step.done) return;
      yield step.value;
    }
  } finally {
    await pieces.return?.();
  }
}

async function storeSingle(bytes: AsyncIterable<Buffer>, intake: PartIntake): Promise<void> {
  let begun = false;
  for await (const chunk of bytes) {
    if (!begun) intake.begin();
    begun = true;
    await intake.write(chunk);
  }
  if (begun) await intake.end();
}

async function storeParts(
  bytes: AsyncIterable<Buffer>,
  boundary: string,
  intake: PartIntake,
  clock: Clock,
): Promise<void> {
  const reader = createMultipartReader(boundary);
  let parts = 0;
  for await (const chunk of bytes) {
    for (const piece of reader.push(chunk)) {
      if (piece.kind === "data") await intake.write(piece.bytes);
      else if (piece.kind === "end") await intake.end();
      else intake.begin(piece.headers.get("content-type"));
      // Thousands of parts of a few bytes come in one chunk, and none of them waits for anything.
      if (piece.kind === "end" && ++parts % partsAtOnce === 0) await clock.sleep(0);
    }
  }
  if (!reader.end()) await intake.cut();
}
