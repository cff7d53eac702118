import type { FastifyReply, FastifyRequest } from "fastify";
import { isProblem } from "#base/problem";
import { TransferSyntaxUid } from "#formats/dicom";
import { type HeldInstance, receivedBytes } from "#radiology/archive";
import type { Transcoder } from "#radiology/images";
import { sendStream } from "./answer-stream.ts";
import { type Acceptable, covers } from "./media-types.ts";
import { type AnswerPart, multipartOf } from "./multipart-writer.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { notAcceptable } from "./refusal.ts";
import { acceptOf, targetOf } from "./request.ts";
import { instanceUrl } from "./search-results.ts";

const dicom = "application/dicom";
const explicitUid = TransferSyntaxUid.explicitLittleEndian;

/** How one instance is given: in a transfer syntax, or as it was received, before any correction. */
type Form = { readonly syntax: string; readonly isReceived: boolean };

/** Retrieve Study, Series and Instance (PS3.18 §10.4.1.1.1 to .3): whole instances, streamed one after the other. */
export function retrieveHandler(parts: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const target = targetOf(request);
    const ways = waysOf(acceptOf(request));
    if (ways.length === 0) throw offered();
    const held = await parts.archive.read(parts.actorOf(request), target);
    const root = publicRoot(request, parts.root, parts.trustForwarded ?? false);
    const answers = held.map((instance) => {
      const form = formOf(ways, instance, parts.transcoder);
      if (form === undefined) throw offered();
      return answerOf(instance, form, root, parts.transcoder);
    });
    const [only] = answers;
    const isSingle = only !== undefined && target.sopUid !== undefined && ways[0]?.single === true;
    if (isSingle) reply.header("content-location", only.location ?? "");
    const seed = `${held[0]?.studyToken} ${held[0]?.id} ${held.length} ${only?.type}`;
    try {
      return await sendStream(request, reply, isSingle ? only : multipartOf(dicom, seed, answers), parts.log);
    } catch (error) {
      // Samples that do not fit the codec that was asked for: that shows with the first bytes.
      throw isProblem(error, "unsupported") ? offered() : error;
    }
  };
}

/** One acceptable way: a transfer syntax, `*` for as stored, undefined where none was named. */
interface Way {
  readonly single: boolean;
  readonly syntax: string | undefined;
  /** As it was received, before any correction: a parameter of ours, `values=received`. */
  readonly isReceived: boolean;
}

function waysOf(accept: readonly Acceptable[]): Way[] {
  return accept.flatMap(({ name, parameters }) => {
    const syntax = parameters.get("transfer-syntax");
    const isReceived = parameters.get("values") === "received";
    if (name === dicom || name === "application/*") return [{ single: name === dicom, syntax, isReceived }];
    if (name !== "multipart/related" && name !== "multipart/*" && name !== "*/*") return [];
    const type = name === "multipart/related" ? (parameters.get("type") ?? "*/*").toLowerCase() : "*/*";
    return covers(type, dicom) ? [{ single: false, syntax, isReceived }] : [];
  });
}

/**
 * PS3.18 §8.7.3.5.2: where no transfer syntax is named it is Explicit VR Little Endian. What cannot be given in that (video)
 * is then given as stored rather than not at all; its part says so.
 */
function formOf(ways: readonly Way[], instance: HeldInstance, transcoder: Transcoder): Form | undefined {
  const stored = instance.transferSyntaxUid;
  const possible = transcoder.offered(instance);
  for (const { syntax, isReceived } of ways) {
    if (syntax === "*" || syntax === stored) return { syntax: stored, isReceived };
    if (syntax === undefined)
      return { syntax: isReceived || !possible.includes(explicitUid) ? stored : explicitUid, isReceived };
    if (!isReceived && possible.includes(syntax)) return { syntax, isReceived };
  }
  return undefined;
}

function answerOf(
  instance: HeldInstance,
  { syntax, isReceived }: Form,
  root: string,
  transcoder: Transcoder,
): AnswerPart {
  const { studyUid, seriesUid, sopUid, sizeBytes, transferSyntaxUid, isCorrected } = instance;
  const answer = {
    type: `${dicom}; transfer-syntax=${syntax}`,
    location: instanceUrl(root, studyUid, seriesUid, sopUid),
  };
  if (isReceived) return { ...answer, length: sizeBytes, pieces: receivedBytes(instance) };
  // How long it is in another syntax or after corrections is known when it is made.
  const length = isCorrected || syntax !== transferSyntaxUid ? undefined : sizeBytes;
  return { ...answer, length, pieces: transcoder.file(instance, syntax) };
}

function offered() {
  return notAcceptable([
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type="application/dicom"',
  ]);
}
