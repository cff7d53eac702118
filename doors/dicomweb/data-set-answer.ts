import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "#base/log";
import { type DicomJson, writeNativeModel } from "#formats/dicom";
import { sendStream } from "./answer-stream.ts";
import { type Acceptable, covers } from "./media-types.ts";
import { type AnswerPart, multipartOf } from "./multipart-writer.ts";
import { notAcceptable } from "./refusal.ts";
import { acceptOf } from "./request.ts";

const dicomJson = "application/dicom+json";
const dicomXml = "application/dicom+xml";
const jsonTypes = [dicomJson, "application/json"];

/** How data sets are answered: as one JSON array, or as XML (PS3.19 §A.1), each in a part of its own. */
export type AnswerForm = { readonly isXml: false; readonly type: string } | { readonly isXml: true };

/**
 * DICOM JSON for all who take it, JSON or anything; plain JSON for who asks for that first; XML for who asks for it. A list that
 * names only other types is answered in DICOM JSON too where a viewer sent it: they send one list for everything.
 */
export function answerFormOf(request: FastifyRequest): AnswerForm {
  const accept = acceptOf(request);
  for (const each of accept) {
    const type = jsonTypes.find((offer) => covers(each.name, offer));
    if (type !== undefined) return { isXml: false, type };
    if (isXml(each)) return { isXml: true };
  }
  const isViewer = accept.some(({ name }) => name === "multipart/related" || name === "application/octet-stream");
  if (isViewer) return { isXml: false, type: dicomJson };
  throw notAcceptable([...jsonTypes, `multipart/related; type="${dicomXml}"`]);
}

const isXml = ({ name, parameters }: Acceptable): boolean =>
  name === dicomXml || (name === "multipart/related" && parameters.get("type")?.toLowerCase() === dicomXml);

/** Several data sets; none is `[]`, and in XML, where a body without parts would be none, 204. */
export async function sendDataSets(
  request: FastifyRequest,
  reply: FastifyReply,
  form: AnswerForm,
  sets: readonly DicomJson[],
  log: Log,
): Promise<FastifyReply> {
  if (!form.isXml) return reply.type(form.type).send(JSON.stringify(sets));
  if (sets.length === 0) return reply.status(204).send();
  // No text can hold the digest of all of them, so no sender of values can have written the boundary.
  const digest = createHash("sha256");
  for (const set of sets) digest.update(JSON.stringify(set));
  return sendStream(request, reply, multipartOf(dicomXml, digest.digest("hex"), sets.map(xmlPart)), log);
}

/** One data set by itself. */
export function sendDataSet(reply: FastifyReply, form: AnswerForm, set: DicomJson): FastifyReply {
  if (form.isXml) return reply.type(dicomXml).send(writeNativeModel(set));
  return reply.type(form.type).send(JSON.stringify(set));
}

/** Written when its turn comes. */
function xmlPart(set: DicomJson): AnswerPart {
  async function* pieces(): AsyncGenerator<Buffer> {
    yield Buffer.from(writeNativeModel(set), "utf8");
  }
  return { type: dicomXml, pieces: pieces() };
}
