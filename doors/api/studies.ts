import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import type { SeriesView, StudyDetail, StudyListRequest, StudyPage, StudyPlacesView, StudyView } from "#formats/api";
import type { Match, Query, SeriesRow, StudyRow } from "#radiology/archive";
import type { ApiParts } from "./parts.ts";

const limitMax = 200;
const limitDefault = 50;
const offsetMax = 100_000;

const listSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    search: { type: "string", maxLength: 128 },
    modality: { type: "string", maxLength: 16 },
    dateFrom: { type: "string", pattern: "^(\\d{8})?$" },
    dateTo: { type: "string", pattern: "^(\\d{8})?$" },
    sort: {
      type: "string",
      enum: ["StudyDate", "PatientName", "PatientID", "AccessionNumber", "StudyDescription", "ArrivedAt"],
    },
    ascending: { type: "boolean" },
    limit: { type: "integer", minimum: 1, maximum: limitMax },
    offset: { type: "integer", minimum: 0, maximum: offsetMax },
  },
} as const;

/** The study list and one study. */
export function registerStudies(server: FastifyInstance, parts: ApiParts): void {
  const { archive } = parts;

  const list = async (
    actor: Parameters<typeof archive.listStudies>[0],
    request: StudyListRequest,
  ): Promise<StudyPage> => {
    const { rows, total } = await archive.listStudies(actor, queryOf(request));
    return { studies: rows.map(studyView), total: total.count, isTotalExact: total.isExact };
  };

  server.get<{ Querystring: StudyListRequest }>(
    "/api/studies",
    { schema: { querystring: withoutSearch(listSchema) } },
    (request) => list(parts.actorOf(request), request.query),
  );

  server.post<{ Body: StudyListRequest }>("/api/studies/search", { schema: { body: listSchema } }, (request) =>
    list(parts.actorOf(request), request.body),
  );

  server.get<{ Params: { token: string } }>("/api/studies/:token", async (request): Promise<StudyDetail> => {
    const { study, series, patientToken } = await archive.studyOfToken(parts.actorOf(request), request.params.token);
    return { ...studyView(study), patientToken, series: series.map(seriesView) };
  });

  server.get<{ Params: { token: string } }>(
    "/api/studies/:token/places",
    (request): Promise<StudyPlacesView> =>
      parts.gate.pass(parts.actorOf(request), "grant.read", undefined, async () => {
        const { facts } = (await archive.subjectOf(request.params.token)) ?? {};
        if (facts === undefined) throw new Problem("absent", "not found", { remedy: "a search shows what there is" });
        return facts;
      }),
  );
}

/** What is searched for may be a name: it never stands in a URL. */
function withoutSearch(schema: typeof listSchema): object {
  const { search: _search, ...properties } = schema.properties;
  return { ...schema, properties };
}

function queryOf(request: StudyListRequest): Query {
  const { sort, ascending = false, limit = limitDefault, offset = 0 } = request;
  return { matches: matchesOf(request), limit, offset, sort: { keyword: sort ?? "StudyDate", ascending } };
}

function matchesOf({ search, modality, dateFrom, dateTo }: StudyListRequest): Match[] {
  const matches: Match[] = [];
  const text = search
    ?.trim()
    .replace(/[*?\\]/g, " ")
    .trim();
  if (text) matches.push(searchMatch(text));
  if (modality) matches.push({ keyword: "ModalitiesInStudy", kind: "equal", values: [modality] });
  if (dateFrom || dateTo) {
    matches.push({
      keyword: "StudyDate",
      kind: "range",
      ...(dateFrom && { from: dateFrom }),
      ...(dateTo && { to: dateTo }),
    });
  }
  return matches;
}

/** One box for three things: a name, or (when there is a digit in it) the beginning of a patient id or accession number. */
function searchMatch(text: string): Match {
  const name: Match = { keyword: "PatientName", kind: "wildcard", pattern: `*${text.replace(/[\s,]+/g, "*")}*` };
  if (!/\d/.test(text)) return name;
  const beginning = (keyword: string): Match => ({ keyword, kind: "wildcard", pattern: `${text}*` });
  return { kind: "any", of: [beginning("PatientID"), beginning("AccessionNumber"), name] };
}

export function studyView(study: StudyRow): StudyView {
  const value = (keyword: string) => study.values[keyword] ?? "";
  return {
    token: study.studyToken,
    studyUid: study.studyUid,
    patientName: value("PatientName"),
    patientId: value("PatientID"),
    birthDate: value("PatientBirthDate"),
    sex: value("PatientSex"),
    studyDate: value("StudyDate"),
    studyTime: value("StudyTime"),
    accessionNumber: value("AccessionNumber"),
    description: value("StudyDescription"),
    referrer: value("ReferringPhysicianName"),
    modalities: study.modalities,
    seriesCount: study.seriesCount,
    instanceCount: study.instanceCount,
    conflictCount: study.conflictCount,
    changedAt: study.changedAt,
  };
}

function seriesView(series: SeriesRow): SeriesView {
  const value = (keyword: string) => series.values[keyword] ?? "";
  return {
    seriesUid: series.seriesUid,
    modality: value("Modality"),
    number: value("SeriesNumber"),
    description: value("SeriesDescription"),
    bodyPart: value("BodyPartExamined"),
    instanceCount: series.instanceCount,
  };
}
