import type { FastifyInstance } from "fastify";
import type {
  CorrectedView,
  CorrectionView,
  PatientCorrection,
  PatientMerge,
  StudyCorrection,
  StudyMove,
} from "#formats/api";
import type { ApiParts } from "./parts.ts";

const textMax = 1_024;
const values = { type: "object", maxProperties: 32, additionalProperties: { type: "string", maxLength: textMax } };
const reason = {
  type: "object",
  additionalProperties: false,
  required: ["code", "text"],
  properties: { code: { type: "string", enum: ["COERCE", "CORRECT"] }, text: { type: "string", maxLength: 256 } },
};
const patient = {
  type: "object",
  additionalProperties: false,
  required: ["PatientID"],
  properties: {
    PatientID: { type: "string", maxLength: textMax },
    IssuerOfPatientID: { type: "string", maxLength: textMax },
  },
};
const study = { type: "string", maxLength: 64 };

/** All members are required. */
const bodyOf = (properties: Readonly<Record<string, object>>) => ({
  schema: { body: { type: "object", additionalProperties: false, required: Object.keys(properties), properties } },
});

/** Corrections of what identifies. All that says who is in bodies, never in a URL. */
export function registerCorrections(server: FastifyInstance, { archive, actorOf }: ApiParts): void {
  server.post<{ Body: StudyCorrection }>(
    "/api/corrections/study",
    bodyOf({ study, changes: values, reason }),
    (request): Promise<CorrectedView> => {
      const { body } = request;
      return archive.correctStudy(actorOf(request), body.study, body.changes, body.reason);
    },
  );

  server.post<{ Body: PatientCorrection }>(
    "/api/corrections/patient",
    bodyOf({ patient, changes: values, reason }),
    (request): Promise<CorrectedView> => {
      const { body } = request;
      return archive.correctPatient(actorOf(request), body.patient, body.changes, body.reason);
    },
  );

  server.post<{ Body: PatientMerge }>(
    "/api/corrections/merge",
    bodyOf({ from: patient, into: patient, reason }),
    (request): Promise<CorrectedView> => {
      const { body } = request;
      return archive.mergePatients(actorOf(request), body.from, body.into, body.reason);
    },
  );

  server.post<{ Body: StudyMove }>(
    "/api/corrections/move",
    bodyOf({ study, to: { ...values, required: ["PatientID"] }, reason }),
    (request): Promise<CorrectedView> => {
      const { body } = request;
      return archive.moveStudy(actorOf(request), body.study, body.to, body.reason);
    },
  );

  server.get<{ Params: { token: string } }>(
    "/api/studies/:token/corrections",
    async (request): Promise<CorrectionView[]> => {
      const corrections = await archive.correctionsOf(actorOf(request), request.params.token);
      return corrections.map(({ task: _task, ...shown }) => shown);
    },
  );
}
