import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#base/clock";
import { asProblem, isProblem, Problem } from "#base/problem";
import { createHeaderReader, type HeaderReader, Tag } from "#formats/dicom";
import type { Receiving, StoredInstance } from "#radiology/archive";
import { parseMediaType } from "./media-types.ts";
import { createMultipartReader } from "./multipart-reader.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { Refusal } from "./refusal.ts";
import { jsonTypeOf, parametersOf, targetOf } from "./request.ts";
import { type FailedInstance, FailureReason, failureReason, storeResponse, storeStatus } from "./store-outcome.ts";

/** Instances that were received and wait for stable storage while the next arrives: they share a sync. */
const finishingMax = 8;
const silentMsMax = 60_000;
/** Error Comment (0000,0902) is LO. */
const commentCharactersMax = 64;
/** After so many parts others have their turn. */
const partsAtOnce = 100;

/** STOW-RS (PS3.18 §10.5): instances stream into the archive as they arrive, however many and however large. */
export function storeHandler(parts: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const answerType = jsonTypeOf(request);
    const { study } = request.params as { study?: string };
    const studyUid = study === undefined ? undefined : targetOf(request).studyUid;
    const body = bodyOf(request);
    // Our own parameter: where what is sent came from (`leadglass import --facility`).
    const facility = await parts.requireFacility(parametersOf(request).get("facility") ?? "");
    await parts.archive.beginUpload(parts.actorOf(request));
    const receive = () => parts.archive.receiveFile(parts.actorOf(request), facility);
    const intake = createPartIntake(receive, studyUid);
    const bytes = arriving(request, parts.clock);
    try {
      if (body.boundary === undefined) await storeSingle(bytes, intake);
      else await storeParts(bytes, body.boundary, intake, parts.clock);
    } catch (error) {
      await intake.abort();
      throw request.raw.readableAborted ? new Problem("invalid", "the upload was broken off", { cause: error }) : error;
    }
    const { stored, failed, noRoom } = await intake.outcome();
    if (stored.length + failed.length === 0) {
      throw new Problem("invalid", "the body holds no instance", {
        remedy: "send at least one application/dicom part",
      });
    }
    if (stored.length === 0 && noRoom !== undefined) throw noRoom;
    const root = publicRoot(request, parts.root, parts.trustForwarded ?? false);
    reply.status(storeStatus(stored, failed)).type(answerType);
    const response = await storeResponse(root, stored, failed, () => parts.clock.sleep(0));
    return reply.send(JSON.stringify(response));
  };
}

/** What the headers say the body is; `boundary` is undefined for a single instance. */
function bodyOf(request: FastifyRequest): { boundary: string | undefined } {
  const { headers } = request;
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    throw new Refusal(415, "a compressed body is not taken", "send it without Content-Encoding");
  }
  const type = parseMediaType(headers["content-type"] ?? "");
  if (type?.name === "application/dicom") return { boundary: undefined };
  const root = (type?.parameters.get("type") ?? "application/dicom").toLowerCase();
  if (type?.name !== "multipart/related" || parseMediaType(root)?.name !== "application/dicom") {
    throw new Refusal(
      415,
      "only DICOM instances are stored; metadata with bulk data apart is not",
      'send multipart/related; type="application/dicom", or one application/dicom',
    );
  }
  const boundary = type.parameters.get("boundary");
  if (boundary === undefined || boundary === "") {
    throw new Problem("invalid", "the Content-Type names no boundary", { remedy: "see RFC 2046 §5.1.1" });
  }
  return { boundary };
}

/**
 * The body as it arrives. A sender that falls silent is cut off: what it began would be held open for ever. When the reading
 * ends early the request stays open for the rest, which the door passes over so that the sender gets its answer.
 */
async function* arriving({ raw }: FastifyRequest, clock: Clock): AsyncGenerator<Buffer> {
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

/** Takes parts one after the other and remembers what became of each. */
interface PartIntake {
  /** A part begins. Without a type it is what the body as a whole was said to hold. */
  begin(contentType?: string): void;
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** The body ended inside a part: that one is not stored. */
  cut(): Promise<void>;
  /** Waits for what is on its way to stable storage. */
  outcome(): Promise<{ stored: StoredInstance[]; failed: FailedInstance[]; noRoom: Problem | undefined }>;
  abort(): Promise<void>;
}

/** The part that is being received. After `failed` is set the rest of it is passed over. */
interface OpenPart {
  readonly receiving: Receiving | undefined;
  readonly header: HeaderReader;
  readingHeader: boolean;
  /** The header has shown that this is the study of the path, if there is one. */
  isOfStudy: boolean;
  failed: Pick<FailedInstance, "reason" | "comment"> | undefined;
}

const wanted = [Tag.SOPClassUID, Tag.SOPInstanceUID, Tag.StudyInstanceUID];

function createPartIntake(receive: () => Receiving, studyUid: string | undefined): PartIntake {
  /** In the order of the parts. */
  const outcomes: Promise<StoredInstance | FailedInstance>[] = [];
  const finishing = new Set<Promise<unknown>>();
  let open: OpenPart | undefined;
  let noRoom: Problem | undefined;

  const whyOf = (error: unknown): NonNullable<OpenPart["failed"]> => {
    const problem = asProblem(error, "storing an instance");
    if (isProblem(problem, "no-room")) noRoom ??= problem;
    return { reason: failureReason(problem), comment: problem.message.slice(0, commentCharactersMax) };
  };

  const fail = async (part: OpenPart, why: NonNullable<OpenPart["failed"]>): Promise<void> => {
    part.failed ??= why;
    await part.receiving?.abort();
  };

  /** Follows the header as it passes, for the UIDs of the answer and to see whether it is the study of the path. */
  const follow = (part: OpenPart, bytes: Uint8Array): void => {
    if (!part.readingHeader) return;
    part.readingHeader = part.header.write(bytes);
    if (!part.header.passed(Tag.StudyInstanceUID)) return;
    part.readingHeader = false;
    const found = part.header.header(false).dataSet.text(Tag.StudyInstanceUID);
    part.isOfStudy = studyUid === undefined || found === studyUid;
    if (!part.isOfStudy) throw otherStudy();
  };

  const failedItem = (part: OpenPart): FailedInstance => {
    const { dataSet } = part.header.header(false);
    const uid = (tag: number) => dataSet.text(tag)?.slice(0, 64) || undefined;
    const why = part.failed ?? { reason: FailureReason.processingFailure };
    return { sopClassUid: uid(Tag.SOPClassUID), sopUid: uid(Tag.SOPInstanceUID), ...why };
  };

  const finish = async (part: OpenPart, receiving: Receiving): Promise<StoredInstance | FailedInstance> => {
    try {
      return await receiving.finish();
    } catch (error) {
      part.failed = whyOf(error);
      return failedItem(part);
    }
  };

  return {
    begin(contentType) {
      const isDicom = contentType === undefined || parseMediaType(contentType)?.name === "application/dicom";
      open = {
        receiving: isDicom ? receive() : undefined,
        header: createHeaderReader({ wanted }),
        readingHeader: isDicom,
        isOfStudy: studyUid === undefined,
        failed: isDicom ? undefined : { reason: FailureReason.cannotUnderstand },
      };
    },
    async write(bytes) {
      const part = open;
      if (part?.receiving === undefined || part.failed !== undefined) return;
      try {
        follow(part, bytes);
        await part.receiving.write(bytes);
      } catch (error) {
        await fail(part, whyOf(error));
      }
    },
    async end() {
      const part = open;
      open = undefined;
      if (part === undefined) return;
      if (!part.isOfStudy && part.failed === undefined) await fail(part, whyOf(otherStudy()));
      if (part.receiving === undefined || part.failed !== undefined) {
        outcomes.push(Promise.resolve(failedItem(part)));
        return;
      }
      const outcome = finish(part, part.receiving);
      outcomes.push(outcome);
      const done = outcome.finally(() => finishing.delete(done));
      finishing.add(done);
      if (finishing.size >= finishingMax) await Promise.race(finishing);
    },
    async cut() {
      if (open === undefined) return;
      await fail(open, { reason: FailureReason.cannotUnderstand });
      outcomes.push(Promise.resolve(failedItem(open)));
      open = undefined;
    },
    async outcome() {
      const all = await Promise.all(outcomes);
      return {
        stored: all.filter((each) => "studyUid" in each),
        failed: all.filter((each) => "reason" in each),
        noRoom,
      };
    },
    async abort() {
      await open?.receiving?.abort();
      open = undefined;
      await Promise.all(outcomes);
    },
  };
}

function otherStudy(): Problem {
  return new Problem("conflict", "the instance is not of the study in the path", {
    remedy: "store it at its own study",
  });
}
