import { isProblem, Problem } from "#base/problem";
import { elementsOf, isUid, type KeywordDataSet } from "#formats/dicom";
import type { Contents, ListedSeries, ListedStudy } from "#radiology/migration";
import { informationModels } from "./archive-models.ts";
import { textsOf } from "./fetching.ts";
import { type OpenTo, onAssociation } from "./on-association.ts";
import { type OutboundAssociation, plainContext } from "./outbound.ts";
import { peerStatusOf, status } from "./status.ts";

/*
 * What another archive holds, level by level (PS3.4 §C.6.2): each unique key above the level asked for has one value, as the hierarchical
 * search of the baseline wants it.
 */

const [, studyRoot] = informationModels;

const studyKeys = [
  ...["StudyInstanceUID", "StudyDate", "StudyTime", "ModalitiesInStudy", "AccessionNumber"],
  ...["PatientID", "PatientName"],
] as const;
const seriesKeys = ["SeriesInstanceUID", "Modality", "NumberOfSeriesRelatedInstances"] as const;
const instanceKeys = ["SOPInstanceUID", "SOPClassUID"] as const;

const seriesMost = 5_000;
/** Of a study; one with more is compared by its numbers. */
const instancesMost = 100_000;

/** Hands over the studies that match, as they come. True when the archive stopped before it had named all. */
export async function listStudies(
  open: OpenTo,
  keys: Readonly<Record<string, string>>,
  take: (study: ListedStudy) => Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
  return onAssociation(open, [plainContext(studyRoot.find)], signal, async (association) => {
    let count = 0;
    try {
      for await (const match of matchesOn(association, "STUDY", studyKeys, keys, signal)) {
        count++;
        const { StudyInstanceUID: studyUid = "" } = match;
        if (isUid(studyUid)) await take(listedStudy(studyUid, match));
      }
      return false;
    } catch (error) {
      signal.throwIfAborted();
      if (isCut(error, count)) return true;
      throw error;
    }
  });
}

/** Statuses by which archives say that they do not name the rest: out of resources, and a cancellation that nobody asked for. */
function isCut(error: unknown, count: number): boolean {
  const answered = peerStatusOf(error);
  if (answered === undefined) return false;
  return answered >>> 8 === 0xa7 || answered === status.cancelled || (answered >>> 12 === 0xc && count > 0);
}

function listedStudy(studyUid: string, match: Readonly<Record<string, string>>): ListedStudy {
  const text = (keyword: (typeof studyKeys)[number], most = 64) => (match[keyword] ?? "").slice(0, most);
  const modalities = text("ModalitiesInStudy", 512).split("\\").filter(Boolean).slice(0, 20);
  return {
    ...{ studyUid, date: text("StudyDate"), time: text("StudyTime"), modalities: [...new Set(modalities)] },
    ...{ patientId: text("PatientID"), patientName: text("PatientName", 320), accession: text("AccessionNumber") },
  };
}

/** Everything that the archive names of a study. Problem `absent` when it has none such. */
export async function listContents(open: OpenTo, studyUid: string, signal: AbortSignal): Promise<Contents> {
  return onAssociation(open, [plainContext(studyRoot.find)], signal, async (association) => {
    const ask = (level: Level, wanted: readonly string[], above: Readonly<Record<string, string>>) =>
      matchesOn(association, level, wanted, { ...above, StudyInstanceUID: studyUid }, signal);
    let count: number | undefined;
    let isThere = false;
    for await (const { StudyInstanceUID, NumberOfStudyRelatedInstances } of ask("STUDY", countKeys, {})) {
      if (StudyInstanceUID !== studyUid) continue;
      isThere = true;
      count = numberIn(NumberOfStudyRelatedInstances);
    }
    if (!isThere) throw new Problem("absent", "the other archive has no such study any more");
    const series = await named(() => seriesIn(ask));
    return { ...(count !== undefined && { count }), ...(series && series.length > 0 && { series }) };
  });
}

const countKeys = ["StudyInstanceUID", "NumberOfStudyRelatedInstances"];

type Level = "STUDY" | "SERIES" | "IMAGE";
type Ask = (
  level: Level,
  wanted: readonly string[],
  above: Readonly<Record<string, string>>,
) => AsyncIterable<Readonly<Record<string, string>>>;

async function seriesIn(ask: Ask): Promise<ListedSeries[] | undefined> {
  const found = new Map<string, ListedSeries>();
  for await (const match of ask("SERIES", seriesKeys, {})) {
    const { SeriesInstanceUID: seriesUid = "", Modality: modality = "" } = match;
    if (!isUid(seriesUid)) continue;
    if (found.size >= seriesMost) return undefined;
    const count = numberIn(match.NumberOfSeriesRelatedInstances);
    found.set(seriesUid, { seriesUid, modality: modality.slice(0, 16), ...(count !== undefined && { count }) });
  }
  let left = instancesMost;
  const series: ListedSeries[] = [];
  for (const one of found.values()) {
    const instances = await named(() => instancesIn(ask, one.seriesUid, left));
    left -= instances?.length ?? 0;
    series.push(instances === undefined || instances.length === 0 ? one : { ...one, instances });
  }
  return series;
}

async function instancesIn(ask: Ask, seriesUid: string, most: number): Promise<ListedSeries["instances"]> {
  const found: { sopUid: string; sopClassUid: string }[] = [];
  for await (const match of ask("IMAGE", instanceKeys, { SeriesInstanceUID: seriesUid })) {
    const { SOPInstanceUID: sopUid = "", SOPClassUID = "" } = match;
    if (!isUid(sopUid)) continue;
    if (found.length >= most) return undefined;
    found.push({ sopUid, sopClassUid: isUid(SOPClassUID) ? SOPClassUID : "" });
  }
  return found;
}

/** Undefined where the archive does not do a level, or not all of it. */
async function named<T>(list: () => Promise<T>): Promise<T | undefined> {
  try {
    return await list();
  } catch (error) {
    if (isProblem(error) && peerStatusOf(error) !== undefined) return undefined;
    throw error;
  }
}

async function* matchesOn(
  association: OutboundAssociation,
  level: Level,
  wanted: readonly string[],
  keys: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<Readonly<Record<string, string>>> {
  const asked = { ...Object.fromEntries(wanted.map((keyword) => [keyword, ""])), ...keys };
  const identifier = elementsOf({ QueryRetrieveLevel: level, ...asked } as KeywordDataSet);
  for await (const match of association.find(studyRoot.find, identifier, { signal })) yield textsOf(match, asked);
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : undefined;
}
