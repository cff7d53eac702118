import type { FastifyReply, FastifyRequest } from "fastify";
import { type DicomJson, hexOfTag, Tag } from "#formats/dicom";
import { createSeriesHeaders, jsonText, type Level } from "#radiology/archive";
import type { Actor } from "#trust/access";
import { answerFormOf, sendDataSets } from "./data-set-answer.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { parametersOf, targetOf } from "./request.ts";
import { type PageLimits, parseSearch, type Search } from "./search-query.ts";
import { instanceResult, type Shown, seriesResult, studyResult, unanswered } from "./search-results.ts";

/** Across studies a page is what a person looks at; inside one, what a viewer must have at once. */
const acrossStudies: PageLimits = { limitDefault: 1_000, limitMax: 5_000, offsetMax: 1_000_000 };
const insideStudy: PageLimits = { limitDefault: 10_000, limitMax: 10_000, offsetMax: 1_000_000 };

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** QIDO-RS (PS3.18 §10.6): `level` is what is searched for; the UIDs in the path narrow it. */
export function searchHandler(level: Level, parts: DicomwebParts): Handler {
  const find = { study: findStudies, series: findSeries, instance: findInstances }[level];
  return async (request, reply) => {
    const form = answerFormOf(request);
    const { study } = request.params as { study?: string };
    const { studyUid, seriesUid } = study === undefined ? {} : targetOf(request);
    const fixed = {
      ...(studyUid !== undefined && { StudyInstanceUID: studyUid }),
      ...(seriesUid !== undefined && { SeriesInstanceUID: seriesUid }),
    };
    const limits = studyUid === undefined ? acrossStudies : insideStudy;
    const search = parseSearch(parametersOf(request), level, fixed, limits);
    const shown: Shown = {
      search,
      root: publicRoot(request, parts.root, parts.trustForwarded ?? false),
      withStudy: studyUid === undefined,
      withSeries: seriesUid === undefined,
    };
    const results = await find(parts, parts.actorOf(request), shown);
    warn(reply, search, results.length > search.limit);
    return sendDataSets(request, reply, form, results.slice(0, search.limit), parts.log);
  };
}

/** PS3.18 §8.3.4.4 and §8.3.4.2: what the client would not see from the results alone. */
function warn(reply: FastifyReply, search: Search, more: boolean): void {
  const texts = [
    ...(more ? ["There are additional results that can be requested"] : []),
    ...(search.ignored.length > 0 ? [`These keys are not searched at this level: ${search.ignored.join(" ")}`] : []),
  ];
  if (texts.length > 0) reply.header("warning", texts.map((text) => `299 leadglass "${text}"`).join(", "));
}

async function findStudies(parts: DicomwebParts, actor: Actor, shown: Shown): Promise<DicomJson[]> {
  const rows = await parts.archive.findStudies(actor, shown.search.query);
  return rows.map((row) => studyResult(row, shown));
}

async function findSeries(parts: DicomwebParts, actor: Actor, shown: Shown): Promise<DicomJson[]> {
  const rows = await parts.archive.findSeries(actor, shown.search.query);
  const results = rows.map((row) => seriesResult(row, shown));
  return fromHeaders(parts, actor, shown.search, results);
}

async function findInstances(parts: DicomwebParts, actor: Actor, shown: Shown): Promise<DicomJson[]> {
  const rows = await parts.archive.findInstances(actor, shown.search.query);
  const results = rows.map((row) => instanceResult(row, shown));
  return fromHeaders(parts, actor, shown.search, results);
}

/**
 * Adds attributes that were asked for and are not indexed, from the metadata of the results' series: of the instance
 * itself, or for a series of its first instance.
 */
async function fromHeaders(
  { archive }: DicomwebParts,
  actor: Actor,
  search: Search,
  results: readonly DicomJson[],
): Promise<DicomJson[]> {
  const headers = createSeriesHeaders(archive, actor);
  const whole: DicomJson[] = [];
  for (const result of results) {
    const missing = unanswered(search, result).map(hexOfTag);
    if (missing.length === 0) {
      whole.push(result);
      continue;
    }
    const [studyUid, seriesUid] = [jsonText(result, Tag.StudyInstanceUID), jsonText(result, Tag.SeriesInstanceUID)];
    const header = await headers.of(studyUid, seriesUid, jsonText(result, Tag.SOPInstanceUID) || undefined);
    const found = missing.flatMap((key) => (header?.[key] === undefined ? [] : [[key, header[key]] as const]));
    whole.push({ ...result, ...Object.fromEntries(found) });
  }
  return whole;
}
