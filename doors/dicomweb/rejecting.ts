import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import { type RejectedRow, rejectionTitles } from "#radiology/archive";
import { attributesJson } from "./attribute-json.ts";
import { answerFormOf, sendDataSets } from "./data-set-answer.ts";
import type { DicomwebParts } from "./parts.ts";
import { targetOf } from "./request.ts";

/** What DELETE says: that it is no longer kept (IHE IOCM). Nothing is destroyed by it. */
const expired = { code: "113039", scheme: "DCM" };

/** Hides a study, a series or an instance. Orthanc's and others' way to delete. */
export function deleteHandler({ archive, actorOf }: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    await archive.reject(actorOf(request), targetOf(request), expired);
    return reply.status(204).send();
  };
}

/** dcm4chee's `POST …/reject/113001^DCM`, which OHIF uses; with its code of that, what was rejected is shown again. */
export function rejectHandler({ archive, actorOf }: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { code: text = "" } = request.params as { code?: string };
    const [code = "", scheme = "", ...rest] = text.split("^");
    if (code === "" || scheme === "" || rest.length > 0) {
      throw new Problem("invalid", "the path ends in no code", { remedy: "for example …/reject/113001^DCM" });
    }
    const count = await archive.reject(actorOf(request), targetOf(request), { code, scheme });
    return reply.type("application/json").send(JSON.stringify({ count }));
  };
}

/** What is hidden of a study, for who may show it again. */
export function rejectedHandler({ archive, actorOf, log }: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const form = answerFormOf(request);
    const rejected = await archive.rejected(actorOf(request), targetOf(request).studyUid);
    return sendDataSets(request, reply, form, rejected.map(rejectedJson), log);
  };
}

function rejectedJson({ studyUid, seriesUid, sopUid, sopClassUid, code }: RejectedRow): DicomJson {
  const title = rejectionTitles.find((one) => one.code === code);
  return attributesJson({
    InstanceAvailability: "UNAVAILABLE",
    SOPClassUID: sopClassUid,
    SOPInstanceUID: sopUid,
    StudyInstanceUID: studyUid,
    SeriesInstanceUID: seriesUid,
    ConceptNameCodeSequence:
      title === undefined
        ? []
        : [
            attributesJson({
              CodeValue: title.code,
              CodingSchemeDesignator: title.scheme,
              CodeMeaning: title.meaning,
            }),
          ],
  });
}
